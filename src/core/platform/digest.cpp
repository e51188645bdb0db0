#include "core/platform/digest.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

namespace vrm {

sha256_digest::sha256_digest()
    // Fetched once: OpenSSL would otherwise look for it with every digest.
    : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
  openssl::require(algorithm_ != nullptr && context_ != nullptr, "provide SHA-256");
}

void sha256_digest::begin() {
  openssl::require(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1,
                   "begin a SHA-256 digest");
}

void sha256_digest::append(byte_view bytes) {
  openssl::require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1,
                   "continue a SHA-256 digest");
}

sha256 sha256_digest::finish() {
  sha256 digest{};
  openssl::require(
      EVP_DigestFinal_ex(context_.get(), openssl::data(std::span<std::byte>(digest)), nullptr) == 1,
      "finish a SHA-256 digest");
  return digest;
}

sha256 sha256_of(std::initializer_list<byte_view> parts) {
  // One for the process, which has one thread; begin() forgets what a failure has left.
  static sha256_digest digest;
  digest.begin();
  for (const byte_view part : parts) digest.append(part);
  return digest.finish();
}

hmac_sha256::hmac_sha256(byte_view key) {
  static const openssl::mac hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  openssl::require(hmac != nullptr, "find HMAC");
  context_.reset(EVP_MAC_CTX_new(hmac.get()));
  // Not a literal, since OSSL_PARAM takes no pointer to const.
  std::array<char, 7> digest = {"SHA256"};
  const std::array params = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  openssl::require(context_ != nullptr && EVP_MAC_init(context_.get(), openssl::data(key),
                                                       key.size(), params.data()) == 1,
                   "set up HMAC");
}

sha256 hmac_sha256::of(std::initializer_list<byte_view> parts) const {
  EVP_MAC_CTX* const context = context_.get();
  // No key given: it begins anew with the one that it has.
  bool good = EVP_MAC_init(context, nullptr, 0, nullptr) == 1;
  for (const byte_view part : parts) {
    good = good && EVP_MAC_update(context, openssl::data(part), part.size()) == 1;
  }
  sha256 mac{};
  openssl::require(good && EVP_MAC_final(context, openssl::data(std::span<std::byte>(mac)), nullptr,
                                         mac.size()) == 1,
                   "compute HMAC");
  return mac;
}

byte_view hmac(const char* digest, byte_view key, byte_view message, std::span<std::byte> mac) {
  std::size_t size = 0;
  openssl::require(EVP_Q_mac(nullptr, "HMAC", nullptr, digest, nullptr, key.data(), key.size(),
                             openssl::data(message), message.size(), openssl::data(mac), mac.size(),
                             &size) != nullptr,
                   "compute HMAC");
  return mac.first(size);
}

}  // namespace vrm
