#include "core/accounts/totp.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <cctype>

#include "core/platform/openssl.h"

namespace vrm::totp {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

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
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += hex[byte >> 4];
      encoded += hex[byte & 15];
    }
  }
  return encoded;
}

}  // namespace

std::string code_at(byte_view secret, std::int64_t step, const parameters& parameters) {
  std::array<unsigned char, 8> counter{};
  for (std::size_t i = 0; i < counter.size(); ++i)
    counter[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(step) >> (56 - (8 * i)));
  std::array<unsigned char, 64> mac{};
  std::size_t size = 0;
  openssl::require(EVP_Q_mac(nullptr, "HMAC", nullptr, name(parameters.hash), nullptr,
                             secret.data(), secret.size(), counter.data(), counter.size(),
                             mac.data(), mac.size(), &size) != nullptr,
                   "compute a one-time code");
  const std::size_t offset = mac[size - 1] & 15U;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = (number << 8) | mac[offset + i];
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
  for (const std::int64_t step : {current - 1, current, current + 1}) {
    const std::string expected = code_at(secret, step, parameters);
    if (openssl::equal_in_constant_time(std::as_bytes(std::span(expected)),
                                        std::as_bytes(std::span(code))))
      found = step;
  }
  return found;
}

std::string encode_base32(byte_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  int held = 0;
  for (const std::byte byte : bytes) {
    bits = (bits << 8) | std::to_integer<std::uint32_t>(byte);
    for (held += 8; held >= 5; held -= 5) text += alphabet[(bits >> (held - 5)) & 31];
  }
  if (held > 0) text += alphabet[(bits << (5 - held)) & 31];
  return text;
}

std::optional<std::string> decode_base32(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    if (c == ' ' || c == '-') continue;
    const std::size_t value =
        alphabet.find(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 5) | static_cast<std::uint32_t>(value);
    held += 5;
    if (held >= 8) bytes += static_cast<char>((bits >> (held -= 8)) & 0xFF);
  }
  return bytes;
}

std::string otpauth_uri(std::string_view secret, std::string_view issuer,
                        std::string_view account) {
  return "otpauth://totp/" + percent_encode(issuer) + ":" + percent_encode(account) +
         "?secret=" + std::string(secret) + "&issuer=" + percent_encode(issuer) +
         "&algorithm=SHA1&digits=6&period=30";
}

}  // namespace vrm::totp
