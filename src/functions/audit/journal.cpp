// Events that ROLLBACK does not take back: an attacker would like to see failures undone.  They
// wait in vrm_private.audit_journal until maintenance moves them to vrm.audit_log.
#include <array>
#include <string>

#include "boundary/call/function.h"
#include "boundary/table/frozen_row.h"
#include "boundary/table/gapless_counter.h"
#include "core/platform/error.h"
#include "functions/accounts/lockout_store.h"
#include "functions/identity/acting.h"
#include "functions/identity/current_identity.h"
#include "functions/platform/grants.h"
#include "functions/platform/table.h"
#include "functions/platform/uuid.h"

extern "C" {
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
}

namespace vrm::sql {
namespace {

/// Nobody when the caller's token is not valid: that must not keep the event from being written.
const vrm::identity* caller() {
  // A cancelled query, or one out of memory, is a pg::error and goes on.
  try {
    return current_identity();
  } catch (const vrm::error&) {
    return nullptr;
  }
}

/// The organisation that the caller acts for, and belongs to.
std::optional<vrm::uuid> organisation_of(const vrm::identity* who) {
  if (who == nullptr || chosen_organisation(*who) == nullptr) return std::nullopt;
  return current_owner();
}

/// `detail`, the number of the entry, and the organisation that the caller acts for.
Datum numbered(Datum detail, bool has_detail, std::int64_t number,
               const std::optional<vrm::uuid>& acting_for) {
  std::string member = "{\"journal\": " + std::to_string(number);
  if (acting_for) member += R"(, "acting_for": ")" + vrm::to_string(*acting_for) + '"';
  member += '}';
  return pg::guarded([&] {
    const Datum object = DirectFunctionCall1(jsonb_in, CStringGetDatum(member.c_str()));
    return has_detail ? DirectFunctionCall2(jsonb_concat, detail, object) : object;
  });
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
  const std::optional<vrm::uuid> acting_for = organisation_of(known ? who : nullptr);
  const Datum connected = pg::guarded([] {
    return DirectFunctionCall1(namein,
                               CStringGetDatum(GetUserNameFromId(GetSessionUserId(), false)));
  });
  const Datum said = detail ? pg::datum_traits<pg::jsonb_view>::to(*detail) : Datum{0};
  // The counter's lock lasts for this block: the number and its row, for which others wait.
  {
    // Numbered without a gap, so that vrm.audit_verify() misses rows that somebody takes away.
    pg::gapless_counter count(platform_table("vrm_private", "audit_journal_count_number_seq"));
    // Columns of vrm_private.audit_journal: at, id, action, actor, db_role, detail.
    const std::array<Datum, 6> values = {
        TimestampTzGetDatum(GetCurrentTimestamp()),
        pg::datum_traits<vrm::uuid>::to(uuid7()),
        pg::datum_traits<std::string_view>::to(action),
        known ? pg::datum_traits<vrm::uuid>::to(who->user) : Datum{0},
        connected,
        count.is_there() ? numbered(said, detail.has_value(), count.next(), acting_for) : said};
    const std::array<bool, 6> nulls = {false,  false, false,
                                       !known, false, !detail && !count.is_there()};
    pg::insert_frozen(platform_table("vrm_private", "audit_journal"), values.data(), nulls.data(),
                      values.size());
    if (count.is_there()) count.advance();
  }
  pg::flush_frozen(lockout_store::flushes_attempts());
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_audit_journal, vrm::sql::require_grant, vrm::sql::audit_journal);
