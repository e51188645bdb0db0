#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/identity/jwk.h"
#include "core/platform/error.h"

namespace vrm::jose {

/// What claims have to say besides being signed (RFC 7519, 4.1).
struct claim_rules {
  std::optional<std::string> issuer = std::nullopt;  ///< iss has to be this
  std::optional<std::string> audience =
      std::nullopt;         ///< aud has to be this or an array that holds it
  std::int64_t now = 0;     ///< seconds since the Unix epoch
  std::int64_t leeway = 0;  ///< seconds by which the issuer's clock may differ
};

/// A JSON Web Token in compact form (RFC 7515, 7519), of which nothing is believed yet.
///
/// Every failure throws 28000 "token rejected" and nothing else; the reason goes to the server's
/// log only, so that nobody can probe the checks one by one.
class token {
 public:
  /// Takes the token apart and reads its header.  `text` has to outlive the token.
  /// More than `most_bytes` are refused before a byte is decoded.
  token(std::string_view text, std::size_t most_bytes);

  /// Which key it claims to be signed with.
  [[nodiscard]] const std::optional<std::string>& key_id() const noexcept { return key_id_; }

  /// The claims, once the signature is the key's, and they satisfy the rules.
  [[nodiscard]] std::string verified_claims(const verification_key& key,
                                            const claim_rules& rules) const;

 private:
  std::string_view signed_part_;  ///< header and payload as they were signed
  std::string_view payload_;    ///< still in base64url; not looked at before the signature is right
  std::string_view signature_;  ///< still in base64url
  std::string algorithm_;       ///< what the header says, of which nothing follows
  std::optional<std::string> key_id_;
};

/// Why a token is not taken, as far as its bearer may know: what is not signed by us is `unusable`
/// and nothing else.
enum class refusal : std::uint8_t { unusable, expired, session_ended };

/// What every bad token comes to; all clients see is "token rejected".
class token_error : public vrm::error {
 public:
  token_error(refusal why, const std::string& reason);
  /// What the bearer may be told.
  [[nodiscard]] refusal why() const noexcept { return why_; }

 private:
  refusal why_;
};

[[noreturn]] void reject_token(const std::string& reason, refusal why = refusal::unusable);

}  // namespace vrm::jose
