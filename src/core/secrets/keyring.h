#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/platform/digest.h"
#include "core/secrets/data_key.h"

namespace vrm {

/// A key that wraps the keys of the keyring.  It lives outside the database.
struct master_key {
  std::string id;  ///< part of the context of what it wraps
  secret_key key;
};

/// Reads master keys, one line each: an id of letters, digits, '-', '_' and '.', a colon, and 32
/// bytes in base64.  Empty lines and lines that start with '#' do not count.  The first key is the
/// one that wraps; the others still unwrap.
///
/// Throws SQLSTATE F0000, which names lines and never their content.
[[nodiscard]] std::vector<master_key> read_master_keys(std::string_view text);

/// The key that 44 characters of base64 stand for; nothing when they stand for none.
[[nodiscard]] std::optional<secret_key> decode_key(std::string_view base64);

/// Nonce, key and tag.
inline constexpr std::size_t wrapped_key_size = 24 + key_size + envelope_tag_size;
using wrapped_key = std::array<std::byte, wrapped_key_size>;

/// Seals `key` with XAES-256-GCM under `master`, bound to its id, its purpose and the master key's
/// id: "vrm/keyring/v1" || key id || purpose || NUL || master key id.
[[nodiscard]] wrapped_key wrap_key(const master_key& master, std::string_view purpose,
                                   const secret_key& key);

/// Nothing when it was not wrapped so, or when the key is not the one that `key_id` names.
[[nodiscard]] std::optional<secret_key> unwrap_key(const master_key& master,
                                                   std::string_view purpose, std::int64_t key_id,
                                                   byte_view wrapped);

/// Computes blind indexes: a keyed hash that lets equal values be found without opening them.
class blind_indexer {
 public:
  /// `key` is taken in by OpenSSL: it may be wiped afterwards.
  explicit blind_indexer(byte_view key) : hash_(key) {}

  /// The first 8 bytes of HMAC-SHA-256(key, column || value), big endian.
  [[nodiscard]] std::int64_t index(byte_view column, std::string_view value);

 private:
  hmac_sha256 hash_;
};

}  // namespace vrm
