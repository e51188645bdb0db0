#pragma once

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/platform/openssl.h"
#include "core/secrets/envelope.h"

namespace vrm {

/// AES-256.
inline constexpr std::size_t key_size = 32;
/// 24 random bytes: salts of two subjects are never alike.
inline constexpr std::size_t subject_salt_size = 24;

/// 256 bits that are wiped when they go.
class secret_key {
 public:
  secret_key() noexcept = default;
  explicit secret_key(byte_view bytes);  ///< SQLSTATE 22023 unless it is 32 bytes
  ~secret_key() { openssl::wipe(bytes_); }
  secret_key(const secret_key&) = default;
  secret_key& operator=(const secret_key&) = default;

  /// A fresh one from OpenSSL's generator for private values.
  [[nodiscard]] static secret_key random();

  [[nodiscard]] std::span<std::byte> bytes() noexcept { return bytes_; }
  [[nodiscard]] byte_view bytes() const noexcept { return bytes_; }

 private:
  std::array<std::byte, key_size> bytes_{};
};

/// The id that names a key and no other: it is computed from the key.  Always > 0.
[[nodiscard]] std::int64_t key_id_of(const secret_key& key);

/// The key of one subject under a data key: KBKDF in counter mode with CMAC-AES-256 (NIST SP
/// 800-108), label "vrm/subject/v1", the subject's salt as context.  Without its salt it is gone.
[[nodiscard]] secret_key derive_subject_key(const secret_key& key, byte_view salt);

/// A key with everything OpenSSL has computed of it, ready to seal and open many values.
class data_key {
 public:
  /// Computes what XAES needs of the key; throws 58000 when OpenSSL fails.
  explicit data_key(const secret_key& key);
  ~data_key() = default;
  data_key(const data_key&) = delete;
  data_key& operator=(const data_key&) = delete;

  /// The key of the subject with this salt, see derive_subject_key().
  [[nodiscard]] secret_key derive(byte_view salt) const { return derive_subject_key(key_, salt); }

  /// Writes the envelope of `plaintext`, plaintext.size() + envelope_overhead(header.cipher)
  /// bytes.  `context` is authenticated and not stored.  `plaintext` may stand where its ciphertext
  /// is going to, see envelope_content().
  void seal(const envelope_header& header, byte_view context, byte_view plaintext,
            std::span<std::byte> envelope);

  /// Reads `envelope`, whose header has been read as `header`, into `plaintext` of
  /// envelope.size() - envelope_overhead(header.cipher) bytes.
  /// Returns false, with `plaintext` wiped, when it is not authentic in this context.
  [[nodiscard]] bool open(const envelope_header& header, byte_view context, byte_view envelope,
                          std::span<std::byte> plaintext);

  /// The primitive below, with a nonce of the caller's: AES-256-GCM for 12 bytes of it,
  /// XAES-256-GCM (https://c2sp.org/XAES-256-GCM) for 24.  `sealed` is ciphertext and tag.
  void encrypt(byte_view nonce, byte_view associated, byte_view plaintext,
               std::span<std::byte> sealed);
  [[nodiscard]] bool decrypt(byte_view nonce, byte_view associated, byte_view sealed,
                             std::span<std::byte> plaintext);

 private:
  using half_nonce = std::array<std::byte, 12>;

  /// One direction of AES-GCM and the subkey that it holds the key schedule of.
  struct direction {
    openssl::cipher_context plain;    ///< the key itself, for 12-byte nonces; made when needed
    openssl::cipher_context derived;  ///< the subkey of `prefix`
    half_nonce prefix{};
    bool has_prefix = false;
  };

  /// A context that is ready for one value under this nonce.
  [[nodiscard]] EVP_CIPHER_CTX* prepare(direction& way, bool encrypting, byte_view nonce);
  [[nodiscard]] secret_key subkey(byte_view prefix);
  void draw_nonce(std::span<std::byte> nonce);

  secret_key key_;
  openssl::cipher_context block_;     ///< AES-256 of single blocks, to derive subkeys with
  std::array<std::byte, 16> mask_{};  ///< CMAC's K1
  direction encrypting_;
  direction decrypting_;

  /// OpenSSL reads and writes the tag here: by name, which is how it wants it, but without the
  /// detour of EVP_CIPHER_CTX_ctrl(), which takes as long as sealing 40 bytes.
  std::array<std::byte, envelope_tag_size> tag_{};
  std::array<OSSL_PARAM, 2> tag_parameter_ = {
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag_.data(), tag_.size()),
      OSSL_PARAM_construct_end()};

  half_nonce prefix_{};                ///< first half of the nonces that seal() draws
  std::uint32_t prefix_left_ = 0;      ///< values that prefix_ may still seal
  std::uint32_t prefix_drawn_in_ = 0;  ///< fork generation of prefix_
};

}  // namespace vrm
