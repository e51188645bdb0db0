// Whom people act for: themselves, or an organisation that they belong to.
//
// The setting vrm.acting holds what vrm.act_as() was told.  As with vrm.identity, ordinary users
// cannot set it, and PostgreSQL undoes it with the transaction or savepoint and carries it to
// parallel workers.  It names the person, too, and counts for nobody else: whoever signs in after
// them within the transaction acts for themselves.
//
// A choice is no permission.  Whether the person belongs to the organisation is looked at for each
// statement, so a claim may be forged, and a membership end, in the middle of a transaction.
#include "functions/identity/acting.h"

#include <string>

#include "boundary/call/function.h"
#include "boundary/call/guc.h"
#include "core/platform/error.h"
#include "functions/identity/current_identity.h"
#include "functions/identity/memberships.h"
#include "functions/platform/settings.h"

extern "C" {
#include "access/xact.h"
}

namespace vrm::sql {
namespace {

vrm::acting parse_acting(std::string_view choice, GucSource source) {
  if (source != PGC_S_SESSION)
    throw vrm::error("42501", "not a session's choice of an organisation")
        .detail("It is made within a transaction and ends with it.")
        .hint("BEGIN; SELECT vrm.act_as(organisation);");
  return vrm::read_acting(choice);
}

using acting_setting = pg::parsed_setting<parse_acting>;

/// May raise an ERROR; no C++ object may be alive.
void set_acting(const char* choice, GucAction action) {
  set_config_option(acting_setting_name, choice, PGC_SUSET, PGC_S_SESSION, action, true, 0, false);
}

/// The role of a person, looked up once for a statement: row level security asks for each row.
std::optional<vrm::team_role> role_in(const vrm::uuid& organisation, const vrm::uuid& person) {
  static struct {
    vrm::uuid organisation{};
    vrm::uuid person{};
    std::optional<vrm::team_role> role;
    TimestampTz statement = 0;
    std::uint64_t generation = 0;
  } last;

  const TimestampTz statement = GetCurrentStatementStartTimestamp();
  if (last.statement != statement || last.generation != memberships::generation() ||
      last.organisation != organisation || last.person != person) [[unlikely]] {
    last.statement = 0;  // in case of an error
    last.role = memberships::of(organisation, person);
    last.organisation = organisation;
    last.person = person;
    last.generation = memberships::generation();
    last.statement = statement;
  }
  return last.role;
}

/// Nobody when nobody is signed in.
const vrm::identity* current_person() {
  const vrm::identity* const who = current_identity();
  return who != nullptr && who->has_user ? who : nullptr;
}

}  // namespace

const vrm::uuid* chosen_organisation(const vrm::identity& person) {
  const vrm::acting* const choice = acting_setting::value();
  if (choice != nullptr && choice->person == person.user)
    return choice->has_organisation ? &choice->organisation : nullptr;
  return person.has_organisation ? &person.organisation : nullptr;
}

std::optional<vrm::uuid> current_owner() {
  const vrm::identity* const who = current_person();
  if (who == nullptr) return std::nullopt;
  const vrm::uuid* const organisation = chosen_organisation(*who);
  if (organisation == nullptr) [[likely]]
    return who->user;
  if (!role_in(*organisation, who->user)) return std::nullopt;
  return *organisation;
}

bool is_owner_chosen() noexcept { return acting_setting::value() != nullptr; }

void forget_chosen_organisation() {
  if (acting_setting::value() != nullptr) set_acting("", GUC_ACTION_SET);
}

std::optional<pg::at_call_site<vrm::uuid>> uid() {
  const std::optional<vrm::uuid> owner = current_owner();
  if (!owner) return std::nullopt;
  return pg::at_call_site<vrm::uuid>{*owner};
}

std::optional<pg::at_call_site<vrm::uuid>> actor() {
  const vrm::identity* const who = current_person();
  if (who == nullptr) return std::nullopt;
  return pg::at_call_site<vrm::uuid>{who->user};
}

/// Nothing for who acts for themselves, and for nobody.
std::optional<std::string_view> current_team_role() {
  const vrm::identity* const who = current_person();
  const vrm::uuid* const organisation = who != nullptr ? chosen_organisation(*who) : nullptr;
  if (organisation == nullptr) return std::nullopt;
  const std::optional<vrm::team_role> role = role_in(*organisation, who->user);
  if (!role) return std::nullopt;
  return vrm::name_of(*role);
}

bool may_write() {
  const vrm::identity* const who = current_person();
  const vrm::uuid* const organisation = who != nullptr ? chosen_organisation(*who) : nullptr;
  if (organisation == nullptr) [[likely]]
    return true;
  return role_in(*organisation, who->user).value_or(vrm::team_role::viewer) !=
         vrm::team_role::viewer;
}

std::optional<std::string_view> act_as(std::optional<vrm::uuid> organisation) {
  const vrm::identity* const who = current_person();
  if (who == nullptr) {
    throw vrm::error("28000", "nobody is signed in")
        .hint("Sign in within the transaction; SELECT vrm.uid(); tells whom the database sees.");
  }
  vrm::acting choice{.person = who->user};
  std::optional<vrm::team_role> role;
  if (organisation) {
    role = memberships::of(*organisation, who->user);
    if (!role) {
      throw vrm::error("42501", "not a member of the organisation")
          .detail("Organisation \"" + vrm::to_string(*organisation) + "\".")
          .hint("SELECT organisation_id, name, role FROM vrm.organisations();");
    }
    choice.organisation = *organisation;
    choice.has_organisation = true;
  }
  const vrm::acting* const before = acting_setting::value();
  // To say the same again costs no entry on the stack of settings.
  if (before == nullptr || *before != choice) {
    const std::string text = vrm::to_string(choice);
    pg::guarded([&] { set_acting(text.c_str(), GUC_ACTION_LOCAL); });
  }
  if (!role) return std::nullopt;
  return vrm::name_of(*role);
}

void define_acting_settings() {
  acting_setting::define(acting_setting_name,
                         "Person and organisation of the transaction; vrm.act_as() sets them.",
                         {.context = PGC_SUSET, .flags = GUC_DISALLOW_IN_FILE | GUC_NOT_IN_SAMPLE});
}

}  // namespace vrm::sql

PG_EXPORT(vrm_uid, vrm::sql::uid);
PG_EXPORT(vrm_actor, vrm::sql::actor);
PG_EXPORT(vrm_team_role, vrm::sql::current_team_role);
PG_EXPORT(vrm_may_write, vrm::sql::may_write);
PG_EXPORT(vrm_act_as, vrm::sql::act_as);
