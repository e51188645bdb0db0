// vrm.login() and vrm.verify_jwt(): from a token to claims.
//
// A backend keeps the last tokens that it has verified, by their SHA-256, because clients present
// the same one with every transaction; they are forgotten when a key changes or they expire.
#include "functions/identity/login.h"

#include <array>
#include <optional>
#include <utility>

#include "boundary/call/function.h"
#include "boundary/call/guc.h"
#include "core/identity/identity.h"
#include "core/identity/token.h"
#include "core/platform/digest.h"
#include "core/platform/error.h"
#include "core/platform/uuid.h"
#include "functions/accounts/linked_identities.h"
#include "functions/identity/current_identity.h"
#include "functions/identity/sessions.h"
#include "functions/identity/signing_keys.h"
#include "functions/platform/settings.h"

extern "C" {
#include "mb/pg_wchar.h"
#include "utils/timestamp.h"
}

namespace vrm::sql {
namespace {

int most_token_bytes = 0;
int clock_skew_seconds = 0;

/// By their hash: tokens themselves, which are as good as passwords, stay in no cache.
using fingerprint = vrm::sha256;

fingerprint fingerprint_of(std::string_view token) {
  return vrm::sha256_of({vrm::bytes_of(token)});
}

/// The tokens verified last; the oldest makes room for the newest.  All are forgotten when a key or
/// a link to a person changes.
class token_cache {
 public:
  const verified_token* find(const fingerprint& hash) {
    const std::pair now(signing_keys::generation(), linked_identities::generation());
    if (known_ != now) {
      entries_ = {};
      known_ = now;
    }
    for (const entry& kept : entries_) {
      // Claims are never empty: a place without any is not used yet.
      if (kept.hash == hash && !kept.token.claims.empty()) return &kept.token;
    }
    return nullptr;
  }

  const verified_token& keep(const fingerprint& hash, verified_token token) {
    entry& oldest = entries_[next_++ % entries_.size()];
    oldest = {.hash = hash, .token = std::move(token)};
    return oldest.token;
  }

 private:
  struct entry {
    fingerprint hash{};
    verified_token token;
  };
  std::array<entry, 64> entries_;
  std::size_t next_ = 0;
  std::pair<std::uint64_t, std::uint64_t> known_;  ///< keys, and who is who
};

std::int64_t now() noexcept {
  const auto moment =
      pg::datum_traits<pg::timestamp>::from(TimestampTzGetDatum(GetCurrentTimestamp()));
  return std::chrono::floor<std::chrono::seconds>(moment.time_since_epoch()).count();
}

/// Claims are UTF-8 and have been checked to be; the server may use another encoding.
std::string in_server_encoding(std::string claims) {
  const char* const converted = pg::guarded(
      [&] { return pg_any_to_server(claims.c_str(), static_cast<int>(claims.size()), PG_UTF8); });
  return converted == claims.c_str() ? std::move(claims) : std::string(converted);
}

/// Whom another issuer means by a subject that is no UUID.
vrm::uuid linked_user(const vrm::foreign_subject& foreign) {
  const auto user = linked_identities::find(foreign.issuer, foreign.subject);
  if (!user) {
    throw vrm::error("28000", "the subject of the token is linked to nobody")
        .detail("Issuer \"" + foreign.issuer + "\", subject \"" + foreign.subject + "\".")
        .hint(
            "The service or an administrator: SELECT vrm.link_identity(user_id, issuer, subject);");
  }
  return *user;
}

verified_token verify_anew(std::string_view text) {
  const vrm::jose::token token(text, static_cast<std::size_t>(most_token_bytes));
  const signing_keys::signing_key* const key = signing_keys::find(token.key_id());
  // Said to the log alone, or names of keys could be tried.
  if (key == nullptr)
    vrm::jose::reject_token(token.key_id() ? "no key has its kid" : "it does not say which key");
  std::string claims =
      token.verified_claims(signing_keys::usable(*key), {.issuer = key->issuer,
                                                         .audience = key->audience,
                                                         .now = now(),
                                                         .leeway = clock_skew_seconds});
  claims = in_server_encoding(std::move(claims));
  // First, because read_identity() takes a subject that is no UUID for nobody.
  if (const auto foreign = vrm::read_foreign_subject(claims))
    claims = vrm::with_user(claims, linked_user(*foreign));
  const vrm::identity who = vrm::read_identity(claims);
  return {.claims = std::move(claims),
          .expires_at = who.expires_at,
          .has_session = who.has_session,
          .user = who.user,
          .session = who.session};
}

/// The signature and the times of a token are right; its session is looked at by the caller.
const verified_token& signed_token(std::string_view token) {
  static token_cache cache;
  // Before it is hashed, for its size is anybody's choice.
  if (token.size() > static_cast<std::size_t>(most_token_bytes))
    vrm::jose::reject_token("it is larger than vrm.max_token_bytes");
  const fingerprint hash = fingerprint_of(token);
  if (const verified_token* const kept = cache.find(hash)) {
    // Expiry is the only thing that time alone changes; keys and links are in find().
    if (now() >= kept->expires_at + clock_skew_seconds)
      vrm::jose::reject_token("it has expired", vrm::jose::refusal::expired);
    return *kept;
  }
  return cache.keep(hash, verify_anew(token));
}

}  // namespace

const verified_token& verify_token(std::string_view token) {
  const verified_token& verified = signed_token(token);
  if (verified.has_session &&
      sessions::of(verified.user, verified.session) == sessions::state::ended)
    vrm::jose::reject_token("its session has ended, or never began",
                            vrm::jose::refusal::session_ended);
  return verified;
}

std::int64_t clock_skew() noexcept { return clock_skew_seconds; }

std::optional<vrm::uuid> login(std::string_view token) {
  set_identity(verify_token(token).claims.c_str());
  const vrm::identity* const who = current_identity();
  if (who == nullptr || !who->has_user) return std::nullopt;
  return who->user;
}

void logout() { set_identity(""); }

pg::jsonb_text verify_jwt(std::string_view token) { return {verify_token(token).claims}; }

void define_login_settings() {
  pg::define_setting("vrm.max_token_bytes", "Maximum size of a token.", most_token_bytes, 8192,
                     {.least = 128, .most = 1 << 20},
                     {.context = PGC_SUSET, .flags = GUC_UNIT_BYTE});
  pg::define_setting("vrm.clock_skew",
                     "Seconds by which a token's issuer and this server may disagree on the time.",
                     clock_skew_seconds, 30, {.least = 0, .most = 600},
                     {.context = PGC_SUSET, .flags = GUC_UNIT_S});
}

}  // namespace vrm::sql

PG_EXPORT(vrm_login, vrm::sql::login);
PG_EXPORT(vrm_logout, vrm::sql::logout);
PG_EXPORT(vrm_verify_jwt, vrm::sql::verify_jwt);
