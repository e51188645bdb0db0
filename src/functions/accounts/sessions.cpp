// Access tokens, and refresh tokens: each of these is good once, and makes the next one.
//
// The successor of a token follows from it, so two tabs that send the same one at once get the same
// answer, and so does a client that has lost the answer.  Whoever sends it later than that, or one
// that came before, has it from somebody else: the session ends.  What was used no ROLLBACK undoes.
#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "boundary/call/function.h"
#include "boundary/value/record.h"
#include "core/accounts/access_token.h"
#include "core/accounts/refresh.h"
#include "core/platform/base32.h"
#include "functions/accounts/lockout_policy.h"
#include "functions/accounts/lockout_store.h"
#include "functions/identity/sessions.h"
#include "functions/platform/grants.h"

namespace vrm::sql {

using lockout_store::outcome;
using vrm::lockout::kind;
using vrm::refresh::use;

/// "first", "again", "reused", which ends the session, or "ended".  `known` is the newest token
/// that was stored.
std::string session_rotate(std::string_view session, std::int64_t counter, std::int64_t known) {
  lockout_store::require_writable();
  const Oid relation = lockout_store::relation(vrm::lockout::tree::sessions);
  use result = use::ended;
  lockout_store::update(relation, lockout_policy::hash().key_of(kind::session, session), true,
                        [&](vrm::lockout::entry& found) {
                          result =
                              vrm::refresh::rotate(found, counter, known, lockout_store::now());
                          const bool changes = result == use::first || result == use::reused;
                          // "again" changes nothing, so the answer to a repeated call costs no WAL.
                          return changes ? outcome::grave : outcome::unchanged;
                        });
  if (result == use::reused) sessions::announce_end();
  constexpr std::array names = {"first", "again", "reused", "ended"};
  return names[static_cast<std::size_t>(result)];
}

/// The secret part of the token that comes after `token`: nobody can tell who lacks the database's
/// secret, or the token.
std::string session_successor(std::string_view token) {
  auto& hash = lockout_policy::hash();
  std::array<std::byte, 32> next{};
  const auto bytes = std::as_bytes(std::span(token));
  // Each hash has 16 bytes: two labels make the 32 of a token.
  const auto first = hash.hash("vrm/refresh/v1/1", bytes);
  const auto last = hash.hash("vrm/refresh/v1/2", bytes);
  std::ranges::copy(first, next.begin());
  std::ranges::copy(last, next.begin() + first.size());
  return vrm::encode_base32(next);
}

struct key_pair_names {
  static constexpr std::array columns = {"kid", "private_key", "public_key"};
};

pg::named_record<key_pair_names, std::string, std::string, pg::jsonb_text> token_key_pair() {
  vrm::jose::key_pair made = vrm::jose::make_key_pair();
  return {{std::move(made.key_id), std::move(made.private_key),
           pg::jsonb_text{std::move(made.public_jwk)}}};
}

std::string sign_jwt(std::string_view private_key, std::string_view key_id,
                     std::string_view claims) {
  return vrm::jose::sign_token(private_key, key_id, claims);
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_session_rotate, vrm::sql::require_grant, vrm::sql::session_rotate);
PG_EXPORT_CHECKED(vrm_session_successor, vrm::sql::require_grant, vrm::sql::session_successor);
PG_EXPORT(vrm_token_key_pair, vrm::sql::token_key_pair);
PG_EXPORT(vrm_sign_jwt, vrm::sql::sign_jwt);
