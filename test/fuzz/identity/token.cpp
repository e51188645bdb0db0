// Tokens from strangers, and header and claims that are signed well: either 28000 without a
// DETAIL, or claims that make an identity.
#include "core/identity/token.h"

#include <array>
#include <cstdlib>

#include "core/identity/identity.h"
#include "core/platform/base64.h"
#include "core/platform/error.h"

namespace {

constexpr std::array<std::byte, 32> secret{};

std::string sign(std::string_view header, std::string_view claims) {
  std::string token = vrm::encode_base64url(header) + "." + vrm::encode_base64url(claims);
  std::string hash(32, '\0');
  std::size_t size = 0;
  EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, secret.data(), secret.size(),
            reinterpret_cast<const unsigned char*>(token.data()), token.size(),
            reinterpret_cast<unsigned char*>(hash.data()), hash.size(), &size);
  return token + "." + vrm::encode_base64url(hash);
}

void verify(std::string_view text) {
  static const vrm::jose::verification_key key(secret);
  try {
    const vrm::jose::token token(text, 8192);
    (void)vrm::read_identity(token.verified_claims(key, {.now = 0}));
  } catch (const vrm::error& e) {
    if (e.state() != vrm::sqlstate("28000") || !e.detail().empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  verify(input);
  verify(sign(R"({"alg": "HS256"})", input));
  const std::size_t line = input.find('\n');
  if (line != std::string_view::npos) verify(sign(input.substr(0, line), input.substr(line + 1)));
  return 0;
}
