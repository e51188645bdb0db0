// Who has signed in, fast enough for row level security.
//
// Three settings decide, in this order.  vrm.identity holds verified claims; ordinary users cannot
// set it, vrm.login() does so with SET LOCAL semantics, and PostgreSQL itself undoes it with the
// transaction or savepoint and carries it to parallel workers.  vrm.token holds a token that
// anybody may set and that is verified when somebody first asks.  request.jwt.claims, which anybody
// can set too, counts only for session users that vrm.trusted_logins names: their middleware has
// verified the token.
//
// All three end with the transaction, however they were set: behind a pooler the next one on the
// same connection is somebody else's.
#include "core/identity/identity.h"

#include <optional>
#include <string>
#include <utility>

#include "boundary/call/function.h"
#include "boundary/call/guc.h"
#include "functions/accounts/linked_identities.h"
#include "functions/identity/acting.h"
#include "functions/identity/current_identity.h"
#include "functions/identity/login.h"
#include "functions/identity/sessions.h"
#include "functions/identity/signing_keys.h"
#include "functions/platform/settings.h"

extern "C" {
#include "access/xact.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"
}

namespace vrm::sql {
namespace {

constexpr const char* identity_name = "vrm.identity";
constexpr const char* token_name = "vrm.token";
constexpr const char* claims_name = "request.jwt.claims";  // PostgREST's name

/// Only SET and what amounts to it: a value that waits in a catalog or arrives with the
/// connection would give every session that identity.
void require_session(GucSource source) {
  if (source != PGC_S_SESSION)
    throw vrm::error("42501", "not a session's identity")
        .detail("An identity is set within a transaction and ends with it.")
        .hint("BEGIN; SELECT vrm.login(token); or: SET LOCAL vrm.token = '...';");
}

vrm::identity parse_identity(std::string_view claims, GucSource source) {
  require_session(source);
  return vrm::read_identity(claims);
}

using identity_setting = pg::parsed_setting<parse_identity>;

/// Nothing but that there is one: verifying reads a table, which no check hook may.
struct unverified_token {};

unverified_token parse_token(std::string_view /*token*/, GucSource source) {
  require_session(source);
  return {};
}

using token_setting = pg::parsed_setting<parse_token>;

/// Claims that cannot be read are nobody's, and so are those that wait in a catalog: what a
/// middleware hands over is not an error of the statement that sets it.
std::optional<vrm::identity> parse_claims(std::string_view claims, GucSource source) {
  if (source != PGC_S_SESSION) return std::nullopt;
  try {
    return vrm::read_identity(claims);
  } catch (const vrm::error&) {
    return std::nullopt;
  }
}

using claims_setting = pg::parsed_setting<parse_claims>;

bool session_login = false;

// --- trusted logins -----------------------------------------------------------------------------

const char* trusted_logins = nullptr;
bool trust_known = false;  ///< whether `trusted` still answers for `trusted_user`
bool trusted = false;
Oid trusted_user = InvalidOid;

bool check_trusted_logins(char** text, void** /*extra*/, GucSource /*source*/) {
  List* names = NIL;
  // The list is taken apart in place, hence the copies here and below.
  if (SplitIdentifierString(pstrdup(*text), ',', &names)) return true;
  GUC_check_errdetail("List syntax is invalid.");
  return false;
}

void forget_trust(const char* /*text*/, void* /*extra*/) { trust_known = false; }

bool is_listed(Oid user) {
  return pg::guarded([user] {
    const char* const name = GetUserNameFromId(user, true);
    List* names = NIL;
    if (name == nullptr || !SplitIdentifierString(pstrdup(trusted_logins), ',', &names))
      return false;
    const ListCell* cell = nullptr;
    foreach (cell, names) {
      if (std::string_view(static_cast<const char*>(lfirst(cell))) == name) return true;
    }
    return false;
  });
}

/// Looks at session_user: SET ROLE and SECURITY DEFINER functions make nobody trusted.
bool is_session_trusted() {
  if (*trusted_logins == '\0') return false;
  const Oid user = GetSessionUserId();
  if (!trust_known || trusted_user != user) {
    trusted = is_listed(user);
    trusted_user = user;
    trust_known = true;
  }
  return trusted;
}

// --- the identity of the moment -----------------------------------------------------------------

/// Claims, and who they say it is.
struct claims {
  const vrm::identity* who;
  const char* text;
  std::uint64_t version;  ///< differs whenever the text does; each source counts in its own quarter
};

/// What trusted claims say of somebody whom their issuer calls by another name than a UUID; looked
/// up again only when they or a link has changed.  Nothing when nobody is linked.
std::optional<claims> linked_claims() {
  static std::string text;
  static vrm::identity who;
  static std::pair<std::uint64_t, std::uint64_t> known;
  static std::uint64_t version = 4;

  const std::pair now(claims_setting::generation(), linked_identities::generation());
  if (known != now) {
    const auto foreign = vrm::read_foreign_subject(claims_setting::text());
    const auto user = foreign ? linked_identities::find(foreign->issuer, foreign->subject)
                              : std::optional<vrm::uuid>();
    text = user ? vrm::with_user(claims_setting::text(), *user) : "";
    if (user) who = vrm::read_identity(text);
    // Noted last: after an exception the next call looks again.
    known = now;
    version += 4;
  }
  if (text.empty()) return std::nullopt;
  return claims{.who = &who, .text = text.c_str(), .version = version};
}

/// The claims that the middleware of a trusted session has set.
std::optional<claims> trusted_claims() {
  const std::optional<vrm::identity>* const who = claims_setting::value();
  if (who == nullptr || !*who) return std::nullopt;
  if (!(*who)->has_user) {
    if (auto linked = linked_claims()) return linked;
  }
  return claims{.who = &**who,
                .text = claims_setting::text(),
                .version = (claims_setting::generation() * 4) + 3};
}

/// What the token in vrm.token says; verified again only when it, a key or a session has changed.
/// Throws 28000 for a bad one: a middleware that sets a token means somebody.
claims token_claims() {
  static std::string text;
  static vrm::identity who;
  static std::uint64_t token_generation = 0;
  static std::uint64_t key_generation = 0;
  static std::uint64_t session_generation = 0;
  static std::uint64_t version = 2;

  const std::uint64_t keys = signing_keys::generation();
  const std::uint64_t open = sessions::generation();
  if (token_generation != token_setting::generation() || key_generation != keys ||
      session_generation != open) {
    text = verify_token(token_setting::text()).claims;
    who = vrm::read_identity(text);
    // Noted last, and sessions as they are now: verifying has asked, and perhaps heard, of them.
    token_generation = token_setting::generation();
    key_generation = keys;
    session_generation = sessions::generation();
    version += 4;
  }
  return {.who = &who, .text = text.c_str(), .version = version};
}

/// In microseconds since the Unix epoch.
std::int64_t statement_start() noexcept {
  const auto start = TimestampTzGetDatum(GetCurrentStatementStartTimestamp());
  return pg::datum_traits<pg::timestamp>::from(start).time_since_epoch().count();
}

/// Nobody without claims, and nobody once they have expired.
std::optional<claims> current_claims() {
  std::optional<claims> found;
  if (const vrm::identity* const who = identity_setting::value()) {
    found = {.who = who,
             .text = identity_setting::text(),
             .version = (identity_setting::generation() * 4) + 1};
  } else if (token_setting::value() != nullptr) {
    found = token_claims();
  } else if (is_session_trusted()) {
    found = trusted_claims();
  }
  if (found && found->who->is_expired(statement_start(), clock_skew())) return std::nullopt;
  return found;
}

std::optional<std::string_view> non_empty(const char* text) {
  if (*text == '\0') return std::nullopt;
  return text;
}

/// May raise an ERROR; no C++ object may be alive.
void set_for(const char* name, const char* value, GucAction action) {
  set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, action, true, 0, false);
}

/// Whatever was set for the whole session ends with the transaction all the same: behind a
/// pooler the next transaction is somebody else's.  Rolling back needs no help of ours.
void end_identity(XactEvent event, void* /*argument*/) {
  // Before the commit, where settings can still be changed; a prepared transaction ends here, too.
  if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE) return;
  forget_chosen_organisation();
  if (session_login) return;
  if (identity_setting::value() != nullptr) set_for(identity_name, "", GUC_ACTION_SET);
  if (token_setting::value() != nullptr) set_for(token_name, "", GUC_ACTION_SET);
  if (claims_setting::value() != nullptr) set_for(claims_name, "", GUC_ACTION_SET);
}

}  // namespace

void set_identity(const char* claims) {
  const GucAction action = session_login ? GUC_ACTION_SET : GUC_ACTION_LOCAL;
  pg::guarded([=] {
    set_for(identity_name, claims, action);
    if (token_setting::value() != nullptr) set_for(token_name, "", action);
    forget_chosen_organisation();
  });
}

// All that could say who calls: what is left of the caller before would count again.
identity_scope::identity_scope(const char* claims) {
  settings_.set(identity_name, claims);
  if (token_setting::value() != nullptr) settings_.set(token_name, "");
  if (claims_setting::value() != nullptr) settings_.set(claims_name, "");
  if (is_owner_chosen()) settings_.set(acting_setting_name, "");
}

const vrm::identity* current_identity() {
  if (const vrm::identity* const who = identity_setting::value()) [[likely]]
    return who->is_expired(statement_start(), clock_skew()) ? nullptr : who;
  const std::optional<claims> now = current_claims();
  return now ? now->who : nullptr;
}

bool has_unlinked_subject() {
  const std::optional<claims> now = current_claims();
  return now && !now->who->has_user && vrm::read_foreign_subject(now->text).has_value();
}

bool has_trusted_claims() { return claims_setting::value() != nullptr && is_session_trusted(); }

bool is_known_caller() noexcept {
  const vrm::identity* const who = identity_setting::value();
  return who != nullptr && who->has_user && !who->is_expired(statement_start(), clock_skew());
}

std::optional<std::string_view> role() {
  const vrm::identity* const who = current_identity();
  return who != nullptr ? non_empty(who->role.data()) : std::nullopt;
}

std::optional<std::string_view> aal() {
  const vrm::identity* const who = current_identity();
  return who != nullptr ? non_empty(who->assurance.data()) : std::nullopt;
}

bool is_anonymous() {
  const vrm::identity* const who = current_identity();
  return who != nullptr && who->is_anonymous;
}

/// Converts the claims once; later calls copy the binary form.
std::optional<pg::jsonb_view> jwt() {
  static std::string binary;
  static std::uint64_t version = 0;

  const std::optional<claims> now = current_claims();
  if (!now) return std::nullopt;
  if (version != now->version) {
    const std::string text(now->text);
    const Datum datum = pg::datum_traits<pg::jsonb_text>::to({text});
    binary = pg::datum_traits<pg::jsonb_view>::from(datum).binary;
    version = now->version;
  }
  return pg::jsonb_view{binary};
}

void define_identity_settings() {
  // Settable by superusers alone: whoever sets it has verified the claims.
  identity_setting::define(
      identity_name, "Verified claims of the current transaction; vrm.login() sets them.",
      {.context = PGC_SUSET, .flags = GUC_DISALLOW_IN_FILE | GUC_NOT_IN_SAMPLE});
  // Settable by anybody, since its signature decides; not in SHOW ALL, which tools print.
  token_setting::define(token_name,
                        "Token of the current transaction, verified when it is first needed.",
                        {.context = PGC_USERSET,
                         .flags = GUC_DISALLOW_IN_FILE | GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL});
  pg::define_setting("vrm.session_login",
                     "Lets an identity outlive its transaction; never behind a pooler.",
                     session_login, false, {.context = PGC_SUSET});
  claims_setting::define(
      claims_name, "Claims of the current transaction, which a middleware has verified.",
      {.context = PGC_USERSET, .flags = GUC_DISALLOW_IN_FILE | GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL},
      session_login);
  pg::define_setting("vrm.trusted_logins",
                     "Session users, separated by commas, whose request.jwt.claims is believed.",
                     trusted_logins, "", {.context = PGC_SUSET, .flags = GUC_LIST_INPUT},
                     check_trusted_logins, forget_trust);
  CacheRegisterSyscacheCallback(
      AUTHOID, [](Datum, auto /*cache*/, uint32) { trust_known = false; }, Datum{0});
  RegisterXactCallback(end_identity, nullptr);
}

}  // namespace vrm::sql

PG_EXPORT(vrm_role, vrm::sql::role);
PG_EXPORT(vrm_aal, vrm::sql::aal);
PG_EXPORT(vrm_is_anonymous, vrm::sql::is_anonymous);
PG_EXPORT(vrm_jwt, vrm::sql::jwt);
