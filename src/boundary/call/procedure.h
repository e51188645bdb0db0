#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "boundary/call/function.h"
#include "boundary/call/subtransaction.h"

extern "C" {
#include "access/xact.h"
#include "executor/spi.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
}

/// Procedures in C++ that commit: CALL outside a transaction block, a transaction for each step.
///
/// A procedure with SECURITY DEFINER or SET cannot commit, so that each step takes what it needs
/// for itself: the procedure's owner, settings, READ COMMITTED.
namespace pg {

/// One CALL.  Keeps a connection to SPI that lets transactions end.
class procedure_call {
 public:
  /// Connects to SPI; the destructor disconnects, also when an exception leaves the procedure.
  explicit procedure_call(FunctionCallInfo fcinfo);
  ~procedure_call() { SPI_finish(); }
  procedure_call(const procedure_call&) = delete;
  procedure_call& operator=(const procedure_call&) = delete;

  /// Throws vrm::error 25001 inside a transaction block or function, 25006 on a standby.
  void require_transaction_control(const char* example) const;

  /// Whether the transaction is the call's own, so that it may end it.
  [[nodiscard]] bool can_commit() const noexcept { return !atomic_ && !IsTransactionBlock(); }

  /// Ends the transaction and begins the next one, in READ COMMITTED whatever the default.
  /// Snapshots, pointers into SPI results and memory of the old transaction are gone afterwards.
  void commit();

  /// Runs `body` in a subtransaction as the procedure's owner with a safe search_path; when it
  /// throws, what it did is undone and the exception goes on.
  template <typename Body>
  void step(const Body& body) const {
    const scope running(owner_);
    in_subtransaction(body);
  }

  /// Waits, but not for a cancelled query.
  /// May return early; a cancelled query is an ERROR 57014.
  static void sleep(std::chrono::microseconds time);

 private:
  /// The owner's rights and settings that end with the scope.
  class scope {
   public:
    explicit scope(Oid owner);
    ~scope();
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

   private:
    Oid outer_user_ = InvalidOid;
    int outer_security_ = 0;
    int guc_level_ = 0;
  };

  bool atomic_;
  Oid owner_;  ///< of the procedure, whose rights each step has
};

/// Calls a C++ procedure for PostgreSQL.  Arguments are read before anything commits.
template <typename... Args, auto Function>
struct binding_of<void (*)(procedure_call&, Args...), Function>
    // CREATE PROCEDURE knows no STRICT.
    : detail::binding_with<procedure_call, VOIDOID, false, Function, Args...> {};

}  // namespace pg
