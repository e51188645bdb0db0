// Password hashes, one-time codes and access tokens for the functions that sign people in.
#include "core/accounts/passwords.h"

#include <string>

#include "boundary/call/grants.h"
#include "boundary/call/guc.h"
#include "boundary/table/slots.h"
#include "boundary/value/record.h"
#include "core/accounts/access_token.h"
#include "core/accounts/totp.h"
#include "core/platform/base32.h"
#include "core/platform/random.h"
#include "functions/platform/grants.h"
#include "functions/platform/settings.h"
#include "functions/secrets/secret.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace vrm::sql {
namespace {

constexpr std::uint32_t hashing = 0x76726D01;
int most_at_once = 4;

}  // namespace

std::string password_hash(secret password) {
  const unmasked plain(password);
  const pg::slot slot(hashing, static_cast<std::uint32_t>(most_at_once));
  return vrm::passwords::hash(plain.text());
}

bool password_matches(std::string_view hash, secret password) {
  const unmasked plain(password);
  const pg::slot slot(hashing, static_cast<std::uint32_t>(most_at_once));
  return vrm::passwords::matches(hash, plain.text());
}

bool password_is_outdated(std::string_view hash) { return vrm::passwords::is_outdated(hash); }

/// In characters of UTF-8, which is how people count.
std::int32_t secret_length(secret value) {
  const unmasked plain(value);
  std::int32_t characters = 0;
  for (const char c : plain.text()) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++characters;
  }
  return characters;
}

/// So many random bytes.
std::string random_base32(std::int32_t bytes) {
  if (bytes < 1 || bytes > 64) {
    throw vrm::error("22023", "between 1 and 64 bytes can be drawn")
        .detail("Got " + std::to_string(bytes) + ".")
        .hint("SELECT vrm.random_base32(20);");
  }
  std::array<std::byte, 64> drawn{};
  const auto used = std::span(drawn).first(static_cast<std::size_t>(bytes));
  vrm::random_bytes(used);
  return vrm::encode_base32(used);
}

namespace {

std::string decoded(std::string_view secret_text) {
  auto secret = vrm::decode_base32(secret_text);
  if (!secret) {
    throw vrm::error("22023", "the secret is not in base32")
        .hint("Make one: SELECT vrm.random_base32(20);");
  }
  return std::move(*secret);
}

std::int64_t seconds_of(pg::timestamp moment) {
  return std::chrono::floor<std::chrono::seconds>(moment.time_since_epoch()).count();
}

}  // namespace

/// The time step that the code belongs to; null when it is none of now.
std::optional<std::int64_t> totp_step(std::string_view secret_text, std::string_view code) {
  const std::string secret = decoded(secret_text);
  const auto now =
      pg::datum_traits<pg::timestamp>::from(TimestampTzGetDatum(GetCurrentTimestamp()));
  return vrm::totp::step_of(std::as_bytes(std::span(secret)), code, seconds_of(now));
}

/// What an authenticator would show.
std::string totp_code(std::string_view secret_text, pg::timestamp moment) {
  const std::string secret = decoded(secret_text);
  const vrm::totp::parameters usual;
  return vrm::totp::code_at(std::as_bytes(std::span(secret)), seconds_of(moment) / usual.period,
                            usual);
}

std::string totp_uri(std::string_view secret, std::string_view issuer, std::string_view account) {
  return vrm::totp::otpauth_uri(secret, issuer, account);
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

void define_password_settings() {
  pg::define_setting("vrm.password_hashes_at_once",
                     "How many backends of a database hash passwords at the same time.",
                     most_at_once, 4, {.least = 1, .most = 64}, {.context = PGC_SUSET});
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_password_hash, vrm::sql::require_grant, vrm::sql::password_hash);
PG_EXPORT_CHECKED(vrm_password_matches, vrm::sql::require_grant, vrm::sql::password_matches);
PG_EXPORT(vrm_password_is_outdated, vrm::sql::password_is_outdated);
PG_EXPORT(vrm_secret_length, vrm::sql::secret_length);
PG_EXPORT(vrm_random_base32, vrm::sql::random_base32);
PG_EXPORT(vrm_totp_step, vrm::sql::totp_step);
PG_EXPORT(vrm_totp_code, vrm::sql::totp_code);
PG_EXPORT(vrm_totp_uri, vrm::sql::totp_uri);
PG_EXPORT(vrm_token_key_pair, vrm::sql::token_key_pair);
PG_EXPORT(vrm_sign_jwt, vrm::sql::sign_jwt);
