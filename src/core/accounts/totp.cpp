#include "core/accounts/totp.h"

#include <array>
#include <cctype>
#include <iterator>

#include "core/platform/big_endian.h"
#include "core/platform/digest.h"
#include "core/platform/hex.h"

namespace vrm::totp {
namespace {

const char* name(digest hash) noexcept {
  switch (hash) {
    case digest::sha256:
      return "SHA256";
    case digest::sha512:
      return "SHA512";
    case digest::sha1:
      break;
  }
  return "SHA1";
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      encoded += '%';
      write_hex(std::byte{byte}, std::back_inserter(encoded), upper_hex_digits);
    }
  }
  return encoded;
}

}  // namespace

std::string code_at(byte_view secret, std::int64_t step, const parameters& parameters) {
  std::array<std::byte, 64> room{};
  const byte_view mac =
      hmac(name(parameters.hash), secret, to_big_endian(static_cast<std::uint64_t>(step)), room);
  // Dynamic truncation (RFC 4226, 5.3): the last four bits say where to take 31 bits from.
  const auto offset = std::to_integer<std::size_t>(mac.back() & std::byte{15});
  auto number = static_cast<std::uint32_t>(from_big_endian<4>(mac.subspan(offset)));
  number &= 0x7FFFFFFFU;
  std::string code(static_cast<std::size_t>(parameters.digits), '0');
  for (auto digit = code.rbegin(); digit != code.rend(); ++digit, number /= 10)
    *digit = static_cast<char>('0' + (number % 10));
  return code;
}

std::optional<std::int64_t> step_of(byte_view secret, std::string_view code, std::int64_t now,
                                    const parameters& parameters) {
  const std::int64_t current = now / parameters.period;
  std::optional<std::int64_t> found;
  // No way out before the last: the time it takes would tell which step it was.
  for (const std::int64_t step : {current - 1, current, current + 1}) {
    const std::string expected = code_at(secret, step, parameters);
    if (openssl::equal_in_constant_time(std::as_bytes(std::span(expected)),
                                        std::as_bytes(std::span(code))))
      found = step;
  }
  return found;
}

std::string otpauth_uri(std::string_view secret, std::string_view issuer,
                        std::string_view account) {
  return "otpauth://totp/" + percent_encode(issuer) + ":" + percent_encode(account) +
         "?secret=" + std::string(secret) + "&issuer=" + percent_encode(issuer) +
         "&algorithm=SHA1&digits=6&period=30";
}

}  // namespace vrm::totp
