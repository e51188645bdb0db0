// Why an account may not act at the moment: what row level security and the API ask of everybody
// who has an identity.  Native, because every statement on every table asks.
//
// Rows are read anew for each statement, as of the latest commit, so that what an operator does to
// an account counts from then on, in transactions that began before, too.  Bans and deletions are
// read where Supabase Auth writes them.  Wrong passwords are no matter here: a lock that guesses
// have earned stops sign-ins, and nobody who is in.
#include "functions/identity/account_problem.h"

#include <array>
#include <optional>
#include <string_view>

#include "boundary/call/function.h"
#include "boundary/table/scan.h"
#include "core/platform/error.h"
#include "functions/identity/account_locks.h"
#include "functions/identity/acting.h"
#include "functions/identity/current_identity.h"
#include "functions/identity/memberships.h"
#include "functions/identity/sessions.h"

extern "C" {
#include "access/xact.h"
#include "utils/fmgrprotos.h"
}

namespace vrm::sql {
namespace {

// Nothing of these is kept, so nobody watches them: they are read anew for each question.
constinit pg::watched_table profiles("vrm", "user_profiles", "user_profiles_pkey");
constinit pg::watched_table people("auth", "users", "users_pkey");

/// What the two rows of a person say.
struct standing {
  bool has_profile = false;
  bool is_deleted = false;
  bool is_banned = false;
  bool has_second_factor = false;
  bool is_organisation = false;
};

/// A column by its name: a DBA may have added some, and dump and restore closes gaps.
std::optional<Datum> value(HeapTuple row, TupleDesc columns, const char* name) {
  const AttrNumber number = get_attnum(row->t_tableOid, name);
  if (number == InvalidAttrNumber) return std::nullopt;
  bool null = false;
  const Datum datum = heap_getattr(row, number, columns, &null);
  return null ? std::nullopt : std::optional(datum);
}

standing standing_of(const vrm::uuid& user) {
  standing found;
  (void)profiles.read(std::array{user}, [&found](HeapTuple row, TupleDesc columns) {
    const auto second_factor = value(row, columns, "mfa_enabled");
    const auto is_organisation = value(row, columns, "is_organisation");
    found.has_profile = true;
    found.is_organisation = is_organisation && DatumGetBool(*is_organisation);
    found.is_deleted = value(row, columns, "deleted_at").has_value();
    found.has_second_factor = second_factor && DatumGetBool(*second_factor);
  });
  const bool readable = people.read(std::array{user}, [&found](HeapTuple row, TupleDesc columns) {
    const auto banned_until = value(row, columns, "banned_until");
    found.is_deleted |= value(row, columns, "deleted_at").has_value();
    found.is_banned =
        banned_until && DatumGetTimestampTz(*banned_until) > GetCurrentTransactionStartTimestamp();
  });
  // Not to know is an error, never a permission.
  if (!readable) {
    throw vrm::error("55000", "bans cannot be looked up")
        .detail("Table auth.users has no primary key \"users_pkey\".")
        .hint("ALTER TABLE auth.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);");
  }
  return found;
}

/// Why a person may not act for the organisation that they have chosen.
std::optional<std::string_view> membership_problem(const vrm::identity& who) {
  const vrm::uuid* const chosen = chosen_organisation(who);
  if (chosen == nullptr) [[likely]]
    return std::nullopt;
  const vrm::uuid organisation = *chosen;
  if (!memberships::of(organisation, who.user))
    return "the membership in the organisation has ended";
  const standing now = standing_of(organisation);
  if (!now.has_profile || now.is_deleted) return "the organisation is deleted";
  if (now.is_banned) return "the organisation is banned";
  if (account_locks::is_locked(organisation, GetCurrentTransactionStartTimestamp()))
    return "the organisation is locked";
  return std::nullopt;
}

}  // namespace

/// Null when there is none.
std::optional<std::string_view> account_problem() {
  const vrm::identity* const who = current_identity();
  if (who == nullptr || !who->has_user)
    return has_unlinked_subject() ? "the subject of the token is linked to nobody"
                                  : "nobody is signed in";
  if (who->is_anonymous) return "the sign-in is anonymous";
  const standing now = standing_of(who->user);
  if (!now.has_profile) return "there is no profile";
  if (now.is_organisation) return "an organisation does not sign in";
  if (now.is_deleted) return "the account is deleted";
  if (now.is_banned) return "the account is banned";
  if (account_locks::is_locked(who->user, GetCurrentTransactionStartTimestamp()))
    return "the account is locked";
  bool has_shown_both = std::string_view(who->assurance.data()) == "aal2";
  if (who->has_session) {  // which may have ended, or gained its factor, since the token was made
    const sessions::state session = sessions::of(who->user, who->session);
    if (session == sessions::state::ended) return "the session has ended";
    has_shown_both |= session == sessions::state::open_with_second_factor;
  }
  if (now.has_second_factor && !has_shown_both) return "the second factor is missing";
  return membership_problem(*who);
}

}  // namespace vrm::sql

PG_EXPORT(vrm_account_problem, vrm::sql::account_problem);
