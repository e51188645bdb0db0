// Events that ROLLBACK does not take back: an attacker would like to see failures undone.  They
// wait in vrm_private.audit_journal until maintenance moves them to vrm.audit_log.
#include <array>

#include "boundary/call/function.h"
#include "boundary/table/frozen_row.h"
#include "core/platform/error.h"
#include "functions/accounts/lockout_store.h"
#include "functions/identity/current_identity.h"
#include "functions/platform/table.h"
#include "functions/platform/uuid.h"

extern "C" {
#include "miscadmin.h"
#include "utils/builtins.h"
}

namespace vrm::sql {
namespace {

/// Nobody when the caller's token is not valid: that must not keep the event from being written.
const vrm::identity* caller() {
  try {
    return current_identity();
  } catch (const vrm::error&) {
    return nullptr;
  }
}

}  // namespace

/// Writes a security event at once and for good, whatever becomes of the transaction.
void audit_journal(std::string_view action, std::optional<pg::jsonb_view> detail) {
  lockout_store::require_writable();
  if (action.empty() || action.size() > 100) {
    throw vrm::error("22023", "an action must have between 1 and 100 bytes")
        .hint("Give it a short name, and what else there is to say in detail.");
  }
  const vrm::identity* const who = caller();
  const bool known = who != nullptr && who->has_user;
  const Datum connected = pg::guarded([] {
    return DirectFunctionCall1(namein,
                               CStringGetDatum(GetUserNameFromId(GetSessionUserId(), false)));
  });
  // Columns of vrm_private.audit_journal: at, id, action, actor, db_role, detail.
  const std::array<Datum, 6> values = {
      TimestampTzGetDatum(GetCurrentTimestamp()),
      pg::datum_traits<vrm::uuid>::to(uuid7()),
      pg::datum_traits<std::string_view>::to(action),
      known ? pg::datum_traits<vrm::uuid>::to(who->user) : Datum{0},
      connected,
      detail ? pg::datum_traits<pg::jsonb_view>::to(*detail) : Datum{0}};
  const std::array<bool, 6> nulls = {false, false, false, !known, false, !detail};
  pg::insert_frozen(platform_table("vrm_private", "audit_journal"), values.data(), nulls.data(),
                    values.size(), lockout_store::flushes_attempts());
}

}  // namespace vrm::sql

PG_EXPORT(vrm_audit_journal, vrm::sql::audit_journal);
