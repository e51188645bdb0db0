#include "boundary/error/error.h"

#include <cstring>
#include <new>
#include <stdexcept>
#include <system_error>

#include "boundary/error/guard.h"
#include "core/platform/error.h"

#if PG_VERSION_NUM >= 160000
extern "C" {
#include "nodes/miscnodes.h"
}
#endif

namespace pg {

struct failure {
  bool put_back = false;  // a PostgreSQL ERROR is back on the error stack; the rest is unused
  bool is_of_core = false;
  int sqlerrcode = ERRCODE_INTERNAL_ERROR;
  const char* message = "out of memory while reporting a C++ exception";
  const char* detail = nullptr;
  const char* log_detail = nullptr;
  const char* hint = nullptr;
  const char* file = nullptr;
  const char* function = nullptr;
  int line = 0;
};

namespace {

// The core packs SQLSTATEs without PostgreSQL's headers.
static_assert(vrm::sqlstate{"22012"}.packed() == ERRCODE_DIVISION_BY_ZERO);
static_assert(vrm::sqlstate{"XX000"}.packed() == ERRCODE_INTERNAL_ERROR);

/// Copies the top of the error stack into a memory context of its own, or returns nullptr.
// CopyErrorData() may run out of memory, and would jump to the handler of whoever called us.  So it
// gets a landing of its own; what is copied lives in a context that goes with the last exception
// that points to it.
ErrorData* copy_top_error() noexcept {
  const exception_stack_scope saved;
  volatile MemoryContext holder = nullptr;
  sigjmp_buf landing;
  if (sigsetjmp(landing, 0) == 0) {
    PG_exception_stack = &landing;
    holder = AllocSetContextCreate(TopMemoryContext, "pg::error", ALLOCSET_SMALL_SIZES);
    MemoryContextSwitchTo(holder);
    return CopyErrorData();
  }
  if (holder != nullptr) MemoryContextDelete(holder);
  return nullptr;
}

/// Copies `text` into the current memory context, or returns `fallback`; never raises.
// The exception dies before report() jumps, so its texts have to be somewhere that the jump
// respects: the current context, which the ERROR resets in the end.
const char* copy_or(const char* text, const char* fallback) noexcept {
  const std::size_t size = std::strlen(text) + 1;
  void* copy = MemoryContextAllocExtended(CurrentMemoryContext, size, MCXT_ALLOC_NO_OOM);
  return copy == nullptr ? fallback : static_cast<const char*>(std::memcpy(copy, text, size));
}

failure describe(int sqlerrcode, const char* what) noexcept {
  failure failed;
  failed.sqlerrcode = sqlerrcode;
  failed.message = copy_or(what, failed.message);
  return failed;
}

failure describe(const vrm::error& e) noexcept {
  failure failed = describe(e.state().packed(), e.what());
  failed.is_of_core = true;
  if (!e.detail().empty()) failed.detail = copy_or(e.detail().c_str(), nullptr);
  if (!e.log_detail().empty()) failed.log_detail = copy_or(e.log_detail().c_str(), nullptr);
  if (!e.hint().empty()) failed.hint = copy_or(e.hint().c_str(), nullptr);
  failed.file = e.where().file_name();
  failed.function = e.where().function_name();
  failed.line = static_cast<int>(e.where().line());
  return failed;
}

failure describe_current() noexcept {
  // From the particular to the general, since the first handler that fits is taken.
  try {
    throw;
  } catch (const error& e) {
    e.put_back();
    return {.put_back = true};
  } catch (const vrm::error& e) {
    return describe(e);
  } catch (const std::bad_alloc&) {
    return describe(ERRCODE_OUT_OF_MEMORY, "out of memory");
  } catch (const std::length_error& e) {
    return describe(ERRCODE_PROGRAM_LIMIT_EXCEEDED, e.what());
  } catch (const std::invalid_argument& e) {
    return describe(ERRCODE_INVALID_PARAMETER_VALUE, e.what());
  } catch (const std::out_of_range& e) {
    return describe(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, e.what());
  } catch (const std::overflow_error& e) {
    return describe(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, e.what());
  } catch (const std::system_error& e) {
    return describe(ERRCODE_IO_ERROR, e.what());
  } catch (const std::exception& e) {
    return describe(ERRCODE_INTERNAL_ERROR, e.what());
  } catch (...) {
    return describe(ERRCODE_INTERNAL_ERROR, "unknown C++ exception");
  }
}

void tell(const failure& failed) {
  errcode(failed.sqlerrcode);
  errmsg_internal("%s", failed.message);
  if (failed.detail != nullptr) errdetail_internal("%s", failed.detail);
  if (failed.log_detail != nullptr) errdetail_log("%s", failed.log_detail);
  if (failed.hint != nullptr) errhint("%s", failed.hint);
}

}  // namespace

error error::take() {
  const MemoryContext context = CurrentMemoryContext;
  ErrorData* const data = copy_top_error();
  MemoryContextSwitchTo(context);
  // Only now: copying reads the entry that this drops.
  FlushErrorState();
  if (data == nullptr) throw std::bad_alloc();

  // Should there be no memory for the control block, shared_ptr has the deleter called itself.
  return error(std::shared_ptr<ErrorData>(
      data, [](ErrorData* owned) noexcept { MemoryContextDelete(GetMemoryChunkContext(owned)); }));
}

void error::put_back() const noexcept {
  const exception_stack_scope saved;
  sigjmp_buf landing;
  if (sigsetjmp(landing, 0) == 0) {
    PG_exception_stack = &landing;
    // Puts a copy on the error stack and jumps, to the landing above; the entry stays.  Of the text
    // before its parameters the stack has no copy of its own: one that goes with the stack.
    ErrorData again = *data_;
    const MemoryContext current = MemoryContextSwitchTo(ErrorContext);
    again.message_id = copy_or(again.message_id == nullptr ? "" : again.message_id, "");
    MemoryContextSwitchTo(current);
    ReThrowError(&again);
  }
}

const failure& describe_current_exception() noexcept {
  static constinit failure failed;  // a backend has one thread, and reports at once
  return failed = describe_current();
}

void throw_null_argument() { throw vrm::error("22004", "argument must not be null"); }

void report(const failure& failed, [[maybe_unused]] Node* context) {
  if (failed.put_back) PG_RE_THROW();

  // By hand instead of ereport(): file, line and function are those of the throw.
#if PG_VERSION_NUM >= 160000
  if (failed.is_of_core && context != nullptr && IsA(context, ErrorSaveContext)) {
    if (errsave_start(context, TEXTDOMAIN)) {
      tell(failed);
      errsave_finish(context, failed.file, failed.line, failed.function);
    }
    return;
  }
#endif
  if (errstart_cold(ERROR, TEXTDOMAIN)) {
    tell(failed);
    errfinish(failed.file, failed.line, failed.function);
  }
  pg_unreachable();
}

}  // namespace pg
