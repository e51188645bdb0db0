#pragma once

#include <string>
#include <string_view>

/// Access tokens of our own: JSON Web Tokens signed with ES256 (RFC 7515, 7518).
namespace vrm::jose {

/// A fresh P-256 key.
struct key_pair {
  std::string key_id;       ///< RFC 7638 thumbprint of the public key
  std::string private_key;  ///< PKCS #8 in PEM; wipe it after use
  std::string public_jwk;   ///< JSON; may be published as it is
};

/// Throws 58000 when OpenSSL fails.
[[nodiscard]] key_pair make_key_pair();

/// Signs `claims`, a JSON object.  Throws 22023 when `private_key` does not come from
/// make_key_pair().
/// `key_id` goes into the header unchanged.  No claim is looked at: the caller sets exp and iat.
[[nodiscard]] std::string sign_token(std::string_view private_key, std::string_view key_id,
                                     std::string_view claims);

}  // namespace vrm::jose
