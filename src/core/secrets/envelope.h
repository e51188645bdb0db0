#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/platform/bytes.h"

namespace vrm {

/// The envelope that every sealed value travels in, version 1; doc/secrets/secrets.md draws it.
///
///   0  1  magic and version, 0xF9: no UTF-8 text starts so, hence no plaintext passes for one
///   1  1  algorithm
///   2  1  what the value is bound to
///   3  1  flags
///   4  8  id of the data key, big endian
///   12    nonce, ciphertext, 16-byte tag
///
/// The first twelve bytes are authenticated with the ciphertext.

inline constexpr std::size_t envelope_header_size = 12;
inline constexpr std::size_t envelope_tag_size = 16;

/// Numbers are stored: append, never renumber.
enum class algorithm : std::uint8_t {
  xaes_256_gcm = 1,  ///< 24-byte nonce (C2SP XAES-256-GCM); what we write
  aes_256_gcm = 2,   ///< 12-byte nonce, for values that others sealed
};

enum class binding : std::uint8_t {
  none = 0,     ///< opens wherever it is
  row = 1,      ///< opens in one column of one row only
  context = 2,  ///< opens with the context it was sealed with
};

/// What the first twelve bytes say.
struct envelope_header {
  algorithm cipher = algorithm::xaes_256_gcm;
  binding bound = binding::none;
  bool per_subject = false;  ///< sealed with a key derived for one subject, see subject keys
  std::int64_t key_id = 0;   ///< > 0

  friend bool operator==(const envelope_header&, const envelope_header&) = default;
};

/// Follows from the algorithm, so it is not stored.
[[nodiscard]] constexpr std::size_t nonce_size(algorithm cipher) noexcept {
  return cipher == algorithm::xaes_256_gcm ? 24 : 12;
}

/// How many bytes an envelope adds to the plaintext.
[[nodiscard]] constexpr std::size_t envelope_overhead(algorithm cipher) noexcept {
  return envelope_header_size + nonce_size(cipher) + envelope_tag_size;
}

/// Where in an envelope the ciphertext is, which has the size of the plaintext.
[[nodiscard]] inline std::span<std::byte> envelope_content(std::span<std::byte> envelope,
                                                           algorithm cipher) noexcept {
  return envelope.subspan(envelope_header_size + nonce_size(cipher),
                          envelope.size() - envelope_overhead(cipher));
}

/// Reads the header of an envelope of `total_size` bytes from its first twelve.
/// Returns nothing when that is no envelope of this version.
[[nodiscard]] std::optional<envelope_header> read_envelope_header(byte_view head,
                                                                  std::size_t total_size) noexcept;

[[nodiscard]] std::array<std::byte, envelope_header_size> write_envelope_header(
    const envelope_header& header) noexcept;

/// Whether `value` has the structure of an envelope; whether it opens is another question.
[[nodiscard]] inline bool is_envelope(byte_view value) noexcept {
  return read_envelope_header(value, value.size()).has_value();
}

}  // namespace vrm
