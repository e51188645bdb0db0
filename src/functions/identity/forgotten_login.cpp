// A statement on rows of people, while nobody is signed in, is an error.
//
// Row level security would show nobody's rows to nobody, which looks like an account without any:
// a sign-in that was forgotten, or that stands in the very statement that needs it, would not be
// noticed.  Policies cannot tell, because a scan that finds no row asks none of them; so the
// executor is asked as it begins.  Planning has loaded this module by then: it estimates how
// many rows vrm.uid() has.
#include "boundary/call/function.h"
#include "core/platform/error.h"
#include "functions/identity/current_identity.h"
#include "functions/platform/settings.h"

extern "C" {
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
}

namespace vrm::sql {
namespace {

ExecutorStart_hook_type next_hook = nullptr;

/// Inside a guard.  Owners, and who bypasses row level security, see rows whoever calls.
bool is_of_people(Oid relation, Oid schema) {
  return get_rel_namespace(relation) == schema &&
         get_attnum(relation, "user_id") != InvalidAttrNumber &&
         check_enable_rls(relation, InvalidOid, true) == RLS_ENABLED;
}

/// As an application does; monitoring and others have policies of their own.
bool reads_rows_of_people(const PlannedStmt& statement) {
  return pg::guarded([&] {
    const Oid schema = get_namespace_oid("vrm", true);
    const Oid application = get_role_oid("authenticated", true);
    const ListCell* cell = nullptr;
    foreach (cell, statement.rtable) {
      const auto* const entry = static_cast<const RangeTblEntry*>(lfirst(cell));
      if (entry->rtekind == RTE_RELATION && is_of_people(entry->relid, schema))
        return has_privs_of_role(GetUserId(), application);
    }
    return false;
  });
}

/// Supabase Realtime asks for each subscriber in turn whether they see a row, with their claims,
/// from a session that sees all of them: an error for one whose token has expired would keep the
/// row from everybody.
bool asks_for_subscribers() {
  return has_trusted_claims() &&
         pg::guarded([] { return has_bypassrls_privilege(GetSessionUserId()); });
}

bool is_nobody() {
  const vrm::identity* const who = current_identity();
  return who == nullptr || !who->has_user;
}

void require_caller(const PlannedStmt& statement) {
  // The cheap questions first: this runs for every statement of the backend.
  if (is_known_caller() || !reads_rows_of_people(statement) || !is_nobody() ||
      asks_for_subscribers()) {
    return;
  }
  throw vrm::error("28000", "nobody is signed in")
      .detail("A statement sees whom an earlier one of the transaction has signed in.")
      .hint(
          "BEGIN; SELECT vrm.login(token); and then the statement, or SELECT vrm.rpc(token, ...);");
}

void check_start(QueryDesc* query, int flags) {
  if (next_hook != nullptr) {  // first, because it looks whether the role may
    next_hook(query, flags);
  } else {
    standard_ExecutorStart(query, flags);
  }
  if ((flags & EXEC_FLAG_EXPLAIN_ONLY) != 0) return;
  // PostgreSQL calls this hook: no exception may leave it.
  const pg::failure* failed = nullptr;
  try {
    require_caller(*query->plannedstmt);
  } catch (...) {
    failed = &pg::describe_current_exception();
  }
  if (failed != nullptr) pg::report(*failed, nullptr);
}

}  // namespace

void watch_for_forgotten_logins() {
  next_hook = ExecutorStart_hook;
  ExecutorStart_hook = check_start;
}

}  // namespace vrm::sql
