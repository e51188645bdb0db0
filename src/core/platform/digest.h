#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>

#include "core/platform/bytes.h"
#include "core/platform/openssl.h"

namespace vrm {

using sha256 = std::array<std::byte, 32>;

/// Computes one SHA-256 after the other: setting up OpenSSL's context costs more than hashing a
/// short text.
class sha256_digest {
 public:
  sha256_digest();

  /// Whatever was begun before and not finished is forgotten.
  void begin();
  void append(byte_view bytes);
  [[nodiscard]] sha256 finish();

 private:
  openssl::digest algorithm_;
  openssl::digest_context context_;
};

/// SHA-256 of `parts`, one after the other.
[[nodiscard]] sha256 sha256_of(std::initializer_list<byte_view> parts);

/// HMAC-SHA-256 under one key, which OpenSSL has taken in once and for all.
class hmac_sha256 {
 public:
  /// `key` is taken in: it may be wiped afterwards.
  explicit hmac_sha256(byte_view key);

  /// Of `parts`, one after the other.
  [[nodiscard]] sha256 of(std::initializer_list<byte_view> parts) const;

 private:
  openssl::mac_context context_;
};

/// HMAC under a key that is used once, with OpenSSL's name of the digest; the part of `mac` that
/// it fills.
[[nodiscard]] byte_view hmac(const char* digest, byte_view key, byte_view message,
                             std::span<std::byte> mac);

}  // namespace vrm
