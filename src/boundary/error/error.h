#pragma once

#include <exception>
#include <memory>

#include "boundary/backend.h"

namespace pg {

/// A PostgreSQL ERROR on its way through C++ frames.
///
/// guarded() throws it so that destructors run; the function boundary turns it back into the
/// same ERROR with every field intact.  Code may catch it to clean up, but has to let it go
/// on: only the end of the (sub)transaction makes the backend consistent again.
class error final : public std::exception {
 public:
  /// Takes the ERROR off the top of PostgreSQL's error stack.
  /// Throws std::bad_alloc, and drops the ERROR, when there is no memory to keep it in.
  [[nodiscard]] static error take();

  [[nodiscard]] const char* what() const noexcept override { return data_->message; }
  /// Packed, as the ERRCODE_ of PostgreSQL are.
  [[nodiscard]] int sqlerrcode() const noexcept { return data_->sqlerrcode; }
  /// DETAIL and HINT; empty when there is none.
  [[nodiscard]] const char* detail() const noexcept {
    return data_->detail == nullptr ? "" : data_->detail;
  }
  [[nodiscard]] const char* hint() const noexcept {
    return data_->hint == nullptr ? "" : data_->hint;
  }

  /// Puts the ERROR back on the error stack, whence PG_RE_THROW() raises it again.
  void put_back() const noexcept;

 private:
  explicit error(std::shared_ptr<ErrorData> data) noexcept : data_(std::move(data)) {}

  // Shared, because copying an exception must neither throw nor duplicate the context.
  std::shared_ptr<ErrorData> data_;
};

/// What a function boundary reports once the exception is gone.
struct failure;

/// Describes the exception being handled.  Call it inside a catch block only; the result is
/// good until the next call.
[[nodiscard]] const failure& describe_current_exception() noexcept;

/// Reports an ERROR.  Call it outside any catch block: it jumps.  Only what the core says of its
/// input is left in a `context` that asks for that, as pg_input_is_valid() and COPY's ON_ERROR do.
void report(const failure& failed, Node* context);

/// Throws SQLSTATE 22004 for an argument that the function's signature does not let be null.
[[noreturn]] void throw_null_argument();

}  // namespace pg
