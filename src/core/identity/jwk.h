#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/platform/digest.h"
#include "core/platform/json.h"
#include "core/platform/openssl.h"

/// JSON Web Keys (RFC 7517, 7518, 8037) and the signatures they verify.
namespace vrm::jose {

/// Of a key; a token that says another one is refused.
enum class algorithm : std::uint8_t { hs256, rs256, es256, eddsa };

/// The name in the header of a token and in a key's "alg".
[[nodiscard]] std::string_view name(algorithm value) noexcept;

/// Whether a header's "alg" means this algorithm.  Ed25519 is the name that RFC 9864 gives to
/// what RFC 8037 calls EdDSA; no other algorithm has a second name, and "none" has no first.
[[nodiscard]] bool is_named(algorithm value, std::string_view header) noexcept;

/// A key that verifies signatures of one algorithm, which follows from the key and never from a
/// token: a public RSA key cannot be taken for an HMAC secret.
class verification_key {
 public:
  /// Reads a public key.  Throws 22023 with a DETAIL that names the member that is wrong.
  explicit verification_key(const json::value& jwk);

  /// An HS256 key.  Throws 22023 when it has fewer than the 32 bytes of RFC 7518, 3.2.
  explicit verification_key(std::span<const std::byte> secret);

  /// Which a token's header has to name.
  [[nodiscard]] algorithm type() const noexcept { return algorithm_; }

  /// Whether `signature`, in the form of a token, is this key's signature of `message`.
  [[nodiscard]] bool verifies(std::string_view message, std::span<const std::byte> signature) const;

 private:
  void read_rsa(const json::value& jwk);
  void read_ec(const json::value& jwk);
  void read_okp(const json::value& jwk);

  algorithm algorithm_ = algorithm::hs256;
  openssl::key public_key_;                ///< of the three public-key algorithms
  std::optional<hmac_sha256> keyed_hash_;  ///< of HS256
};

/// One signing key of a key set, checked.
struct key_description {
  std::string key_id;
  algorithm type = algorithm::hs256;
  std::string public_jwk;  ///< only the members that make up the key; empty for HS256
  std::string secret;      ///< of HS256; wipe it after use
};

/// Reads a JWK set; keys that say they are for encryption are left out.
/// Throws 22023 with a DETAIL that names the key, by its position and kid, and the member.
[[nodiscard]] std::vector<key_description> read_key_set(std::string_view text);

}  // namespace vrm::jose
