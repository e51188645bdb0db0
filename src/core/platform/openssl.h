#pragma once

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <cstddef>
#include <memory>
#include <source_location>
#include <span>
#include <string>

#include "core/platform/error.h"

/// OpenSSL's objects as C++ owns them, and its failures as errors.
namespace vrm::openssl {

/// For std::unique_ptr, without a pointer to a function in each.
template <auto Free>
struct deleter {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

using cipher = std::unique_ptr<EVP_CIPHER, deleter<EVP_CIPHER_free>>;
using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, deleter<EVP_CIPHER_CTX_free>>;
using digest = std::unique_ptr<EVP_MD, deleter<EVP_MD_free>>;
using digest_context = std::unique_ptr<EVP_MD_CTX, deleter<EVP_MD_CTX_free>>;
using mac = std::unique_ptr<EVP_MAC, deleter<EVP_MAC_free>>;
using mac_context = std::unique_ptr<EVP_MAC_CTX, deleter<EVP_MAC_CTX_free>>;
using kdf = std::unique_ptr<EVP_KDF, deleter<EVP_KDF_free>>;
using kdf_context = std::unique_ptr<EVP_KDF_CTX, deleter<EVP_KDF_CTX_free>>;
using key = std::unique_ptr<EVP_PKEY, deleter<EVP_PKEY_free>>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, deleter<EVP_PKEY_CTX_free>>;

/// Throws what OpenSSL says of its last failure and empties its error queue, which would
/// otherwise be read by the server's TLS code.
[[noreturn]] inline void fail(const char* doing,
                              std::source_location where = std::source_location::current()) {
  // The last one in the queue: those before it may be left over from somebody else.
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  throw vrm::error("58000", std::string("OpenSSL could not ") + doing, where)
      .detail(reason == nullptr ? "It gives no reason." : std::string("It says: ") + reason + ".")
      .hint("Which OpenSSL runs: SELECT openssl_built, openssl_running FROM vrm.build_info();");
}

/// What comes before every result of OpenSSL that is used.
inline void require(bool success, const char* doing,
                    std::source_location where = std::source_location::current()) {
  if (!success) [[unlikely]]
    fail(doing, where);
}

/// What to hand to OpenSSL, which counts in int.
[[nodiscard]] inline const unsigned char* data(std::span<const std::byte> bytes) noexcept {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
[[nodiscard]] inline unsigned char* data(std::span<std::byte> bytes) noexcept {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

/// Overwrites `bytes` in a way that no optimizer removes.
inline void wipe(std::span<std::byte> bytes) noexcept {
  OPENSSL_cleanse(bytes.data(), bytes.size());
}

/// Compares in a time that depends on the sizes only.
[[nodiscard]] inline bool equal_in_constant_time(std::span<const std::byte> left,
                                                 std::span<const std::byte> right) noexcept {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace vrm::openssl
