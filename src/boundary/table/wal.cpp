#include "boundary/table/wal.h"

#include <string>

#include "boundary/error/guard.h"

extern "C" {
#include "access/rmgr.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "access/xlogreader.h"
#include "access/xlogrecovery.h"
#include "access/xlogutils.h"
}

namespace pg {
namespace {

timestamp from_server(TimestampTz at) {
  return datum_traits<timestamp>::from(TimestampTzGetDatum(at));
}

/// A reader of the server's own WAL, which does not wait at its end.
/// read_local_xlog_page_no_wait() reads what has been flushed; at its end XLogReadRecord() says so,
/// where read_local_xlog_page() would wait for more.
class wal_reader {
 public:
  wal_reader()
      : reader_(guarded([this] {
          XLogReaderRoutine routine = {.page_read = read_local_xlog_page_no_wait,
                                       .segment_open = wal_segment_open,
                                       .segment_close = wal_segment_close};
          return XLogReaderAllocate(wal_segment_size, nullptr, &routine, &end_);
        })) {
    if (reader_ == nullptr) throw std::bad_alloc();
  }
  ~wal_reader() { XLogReaderFree(reader_); }
  wal_reader(const wal_reader&) = delete;
  wal_reader& operator=(const wal_reader&) = delete;

  /// False when there is no whole record at or after `start`.
  bool find(XLogRecPtr start) {
    return guarded([&] {
#if PG_VERSION_NUM >= 190000
      char* problem = nullptr;
      return XLogFindNextRecord(reader_, start, &problem) != InvalidXLogRecPtr;
#else
      return XLogFindNextRecord(reader_, start) != InvalidXLogRecPtr;
#endif
    });
  }

  /// The next record; nullptr at the end of what is flushed.
  XLogReaderState* next() {
    return guarded([&] {
      // What cannot be read ends the stretch as well: the reason is not kept.
      char* problem = nullptr;
      return XLogReadRecord(reader_, &problem) == nullptr ? nullptr : reader_;
    });
  }

 private:
  ReadLocalXLogPageNoWaitPrivate end_{};
  XLogReaderState* reader_;
};

bool is_commit(XLogReaderState* record) {
  if (XLogRecGetRmid(record) != RM_XACT_ID) return false;
  const auto kind = XLogRecGetInfo(record) & XLOG_XACT_OPMASK;
  // Commits without an XID write no such record, and have written nothing.
  return kind == XLOG_XACT_COMMIT || kind == XLOG_XACT_COMMIT_PREPARED;
}

}  // namespace

wal_location visible_until() {
  return guarded([] {
    return wal_location{RecoveryInProgress() ? GetXLogReplayRecPtr(nullptr)
                                             : GetXLogInsertRecPtr()};
  });
}

wal_location last_important_record() { return {GetLastImportantRecPtr()}; }

timestamp segment_began() {
  XLogRecPtr where = InvalidXLogRecPtr;
  return from_server(time_t_to_timestamptz(GetLastSegSwitchData(&where)));
}

std::optional<wal_location> segment_start(std::string_view file) {
  // Suffixes such as .ready, .done, .partial and .gz come after the name of the segment.
  const std::string name(file.substr(0, XLOG_FNAME_LEN));
  if (!IsXLogFileName(name.c_str())) return std::nullopt;
  TimeLineID timeline = 0;
  XLogSegNo segment = 0;
  XLogFromFileName(name.c_str(), &timeline, &segment, wal_segment_size);
  wal_location start{};
  XLogSegNoOffsetToRecPtr(segment, 0, wal_segment_size, start.lsn);
  return start;
}

first_commit first_commit_since(wal_location start, std::uint64_t most) {
  wal_reader wal;
  if (!wal.find(start.lsn)) return {.at = std::nullopt, .complete = true};
  while (XLogReaderState* const record = wal.next()) {
    if (is_commit(record)) {
      // COMMIT PREPARED has the same struct in front, and the time of its own commit in it.
      const auto* const commit = reinterpret_cast<xl_xact_commit*>(XLogRecGetData(record));
      return {.at = from_server(commit->xact_time), .complete = true};
    }
    // A bound on the work: a long stretch without a commit, as a bulk load is, is not read to its
    // end.
    if (record->EndRecPtr - start.lsn > most) return {.at = std::nullopt, .complete = false};
    check_for_interrupts();
  }
  return {.at = std::nullopt, .complete = true};
}

}  // namespace pg
