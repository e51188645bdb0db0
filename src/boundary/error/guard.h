#pragma once

#include <type_traits>

#include "boundary/error/error.h"

namespace pg {

/// Puts PostgreSQL's error-handling globals back on every way out of a scope.
class exception_stack_scope {
 public:
  exception_stack_scope() noexcept = default;
  ~exception_stack_scope() {
    PG_exception_stack = handler_;
    error_context_stack = context_;
  }
  exception_stack_scope(const exception_stack_scope&) = delete;
  exception_stack_scope& operator=(const exception_stack_scope&) = delete;

 private:
  sigjmp_buf* handler_ = PG_exception_stack;
  ErrorContextCallback* context_ = error_context_stack;
};

/// Calls PostgreSQL: an ERROR raised by `call` arrives as pg::error, so destructors run.
///
/// Every call from C++ into the backend that can raise an ERROR goes through here.  The jump
/// lands in this frame, hence `call` itself must hold nothing that needs destroying.
template <typename Call>
std::invoke_result_t<Call&> guarded(Call&& call) {
  using result = std::invoke_result_t<Call&>;
  static_assert(std::is_void_v<result> || std::is_trivially_destructible_v<result>,
                "a longjmp would skip the result's destructor");
  static_assert(std::is_trivially_destructible_v<std::remove_reference_t<Call>>,
                "capture by reference: a longjmp would skip the captures' destructors");

  const exception_stack_scope saved;
  // Not volatile, for all that: what is set before sigsetjmp() and not after survives the jump.
  const MemoryContext context = CurrentMemoryContext;
  sigjmp_buf landing;
  if (sigsetjmp(landing, 0) == 0) {
    PG_exception_stack = &landing;
    return call();
  }
  MemoryContextSwitchTo(context);
  throw error::take();
}

/// CHECK_FOR_INTERRUPTS() for C++: a cancelled query unwinds like any other exception.
inline void check_for_interrupts() {
  if (INTERRUPTS_PENDING_CONDITION()) [[unlikely]]
    guarded([] { ProcessInterrupts(); });
}

}  // namespace pg
