// One-time codes of authenticators, and the random text that secrets are made of.
#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "boundary/call/function.h"
#include "core/accounts/totp.h"
#include "core/platform/base32.h"
#include "core/platform/error.h"
#include "core/platform/random.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace vrm::sql {

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

/// The time step that the code belongs to; null when it is not a current one.
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

}  // namespace vrm::sql

PG_EXPORT(vrm_random_base32, vrm::sql::random_base32);
PG_EXPORT(vrm_totp_step, vrm::sql::totp_step);
PG_EXPORT(vrm_totp_code, vrm::sql::totp_code);
PG_EXPORT(vrm_totp_uri, vrm::sql::totp_uri);
