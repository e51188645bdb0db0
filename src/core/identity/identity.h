#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/platform/uuid.h"

namespace vrm {

/// What the claim iss of the tokens that we sign says.
inline constexpr std::string_view own_issuer = "vrm";

/// Who somebody is, read once out of the claims.
///
/// Trivially copyable and without pointers, because PostgreSQL keeps it beside the text of the
/// setting vrm.identity and moves it by memcpy and free().
struct identity {
  /// Of claims without exp, which a token may not lack.
  static constexpr std::int64_t never = INT64_MAX;

  std::int64_t expires_at = never;  ///< seconds since the Unix epoch, from the claim exp
  uuid user{};                      ///< the claim sub, when `has_user`
  bool has_user = false;            ///< sub is a UUID; other issuers' names are nobody here
  bool is_anonymous = false;        ///< the claim is_anonymous is true
  bool has_session = false;         ///< the claim iss is ours, so session_id is one that we began
  uuid session{};                   ///< the claim session_id, when `has_session`
  bool has_organisation = false;    ///< the person acts for one
  uuid organisation{};              ///< the claim act_as, when `has_organisation`
  std::array<char, 64> role{};      ///< the claim role, ended by NUL; empty when there is none
  std::array<char, 8> assurance{};  ///< the claim aal (aal1, aal2), in the same way

  /// At a moment in microseconds since the Unix epoch, with a leeway in seconds.  Row level
  /// security asks for each row: no division, no conversion.
  [[nodiscard]] bool is_expired(std::int64_t now, std::int64_t leeway = 0) const noexcept {
    return expires_at != never && now >= (expires_at + leeway) * 1'000'000;
  }
};

/// Reads claims; what an identity needs and is missing stays empty.
/// Throws 22P02 when the text is no JSON object, or a claim has the wrong type or is too long.
[[nodiscard]] identity read_identity(std::string_view claims);

/// What an issuer calls somebody by another name than a UUID.
struct foreign_subject {
  std::string issuer;
  std::string subject;
};

/// The claims iss and sub, where sub is a text and no UUID.  Throws as read_identity() does.
[[nodiscard]] std::optional<foreign_subject> read_foreign_subject(std::string_view claims);

/// The claims with our own id of the person as sub, and that of the issuer as external_sub.
[[nodiscard]] std::string with_user(std::string_view claims, const uuid& user);

}  // namespace vrm
