#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/platform/bytes.h"

/// One-time codes by time (RFC 6238, over RFC 4226).
namespace vrm::totp {

enum class digest : std::uint8_t { sha1, sha256, sha512 };

/// What authenticator applications expect.
struct parameters {
  digest hash = digest::sha1;
  int digits = 6;
  int period = 30;  ///< seconds
};

/// Bytes, as RFC 4226 recommends (section 4, R6): 160 bits.
inline constexpr std::size_t secret_size = 20;

/// The code of one time step, with leading zeros.
[[nodiscard]] std::string code_at(byte_view secret, std::int64_t step,
                                  const parameters& parameters = {});

/// The step whose code it is: the one at `now` (seconds since the Unix epoch), the one before or
/// the one after, for clocks that differ.  All three are always compared, in constant time.
[[nodiscard]] std::optional<std::int64_t> step_of(byte_view secret, std::string_view code,
                                                  std::int64_t now,
                                                  const parameters& parameters = {});

/// The address that authenticator applications read from a QR code.
/// `secret` is in base32, the others as they are.
[[nodiscard]] std::string otpauth_uri(std::string_view secret, std::string_view issuer,
                                      std::string_view account);

}  // namespace vrm::totp
