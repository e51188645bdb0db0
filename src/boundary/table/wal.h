#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "boundary/value/datum.h"

extern "C" {
#include "access/xlogdefs.h"
#include "utils/pg_lsn.h"
}

/// The write-ahead log of this server, as far as backups and replicas need to know it.
namespace pg {

/// A place in the WAL.
struct wal_location {
  XLogRecPtr lsn;
};

template <>
struct datum_traits<wal_location> {
  static constexpr Oid oid = PG_LSNOID;
  static wal_location from(Datum datum) noexcept { return {DatumGetLSN(datum)}; }
  static Datum to(wal_location value) noexcept { return LSNGetDatum(value.lsn); }
};

/// Up to where queries can see what was written: what a standby has replayed, what a primary wrote.
[[nodiscard]] wal_location visible_until();

/// Start of the last record that a restore would miss: not a checkpoint or the like.  Not on a
/// standby.
[[nodiscard]] wal_location last_important_record();

/// When the segment that is being written was begun.
/// On a primary; a server that has switched none since it started says when it started.
[[nodiscard]] timestamp segment_began();

/// Start of the segment that `file`, of the WAL, the archive or its status directory, is called
/// after; nothing when it is called after none.
[[nodiscard]] std::optional<wal_location> segment_start(std::string_view file);

/// What was found in a stretch of WAL.
struct first_commit {
  std::optional<timestamp> at;  ///< when the first transaction in it committed
  bool complete = true;         ///< whether all of it was read, or enough
};

/// Reads the records from a segment's start on, at most `most` bytes of them, to the first commit.
[[nodiscard]] first_commit first_commit_since(wal_location start, std::uint64_t most);

}  // namespace pg
