#include "boundary/call/procedure.h"

#include "core/platform/error.h"

extern "C" {
#include "access/xlog.h"
#include "catalog/pg_proc.h"
#include "nodes/parsenodes.h"
#include "storage/latch.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/wait_event.h"
}

namespace pg {
namespace {

/// PostgreSQL passes a CallContext to CALL alone, and says in it whether CALL stands inside of
/// something that must not commit.
bool is_atomic(FunctionCallInfo fcinfo) {
  return fcinfo->context == nullptr || !IsA(fcinfo->context, CallContext) ||
         castNode(CallContext, fcinfo->context)->atomic;
}

Oid owner_of(Oid function) {
  return guarded([function] {
    const HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", function);
    const Oid owner = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->proowner;
    ReleaseSysCache(tuple);
    return owner;
  });
}

}  // namespace

procedure_call::procedure_call(FunctionCallInfo fcinfo)
    : atomic_(is_atomic(fcinfo)), owner_(owner_of(fcinfo->flinfo->fn_oid)) {
  // Without this option SPI_commit() would refuse to end the transaction.
  const int options = atomic_ ? 0 : SPI_OPT_NONATOMIC;
  guarded([options] { SPI_connect_ext(options); });
}

void procedure_call::require_transaction_control(const char* example) const {
  if (RecoveryInProgress()) {
    throw vrm::error("25006", "cannot run on a standby")
        .hint(std::string("Connect to the primary server, then: ") + example);
  }
  if (atomic_ || IsTransactionBlock()) {
    throw vrm::error("25001", "cannot run inside a transaction block")
        .detail("Each batch is a transaction of its own.")
        .hint(std::string("Run it as a statement by itself, not from a function: ") + example);
  }
}

void procedure_call::commit() {
  guarded([] { SPI_commit(); });
  // The default may be REPEATABLE READ, under which a batch could not see what others did before
  // it.
  XactIsoLevel = XACT_READ_COMMITTED;  // nothing has taken a snapshot yet
}

void procedure_call::sleep(std::chrono::microseconds time) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(time).count();
  if (milliseconds <= 0) return;
  // Anything that sets the latch ends the wait early; callers wait to be gentle and lose nothing.
  guarded([milliseconds] {
    WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
              static_cast<long>(milliseconds), PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
  });
  check_for_interrupts();
}

procedure_call::scope::scope(Oid owner) : guc_level_(NewGUCNestLevel()) {
  GetUserIdAndSecContext(&outer_user_, &outer_security_);
  // RESTRICTED_OPERATION as in maintenance commands: code of users' that a step sets off, such as
  // triggers, can neither become another role nor leave deferred work for after the scope.
  SetUserIdAndSecContext(
      owner, outer_security_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
  guarded([] {
    const auto set = [](const char* name, const char* value) {
      set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    };
    set("search_path", "pg_catalog, pg_temp");
    set("lock_timeout", "500ms");  // whoever wants the whole table goes first
    set("timezone", "UTC");
    set("datestyle", "ISO, YMD");
    // Triggers and foreign keys act whatever the session of the caller has turned off.
    set("session_replication_role", "origin");
    set("synchronize_seqscans", "off");
  });
}

procedure_call::scope::~scope() {
  AtEOXact_GUC(false, guc_level_);
  SetUserIdAndSecContext(outer_user_, outer_security_);
}

}  // namespace pg
