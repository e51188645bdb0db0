#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "boundary/call/setting_scope.h"
#include "core/platform/uuid.h"

namespace vrm::sql {

/// What a token that was believed says.
struct verified_token {
  std::string claims;  ///< a JSON object in the server's encoding
  std::int64_t expires_at = 0;
  bool has_session = false;  ///< it is one of ours, good while its session is
  vrm::uuid user{};
  vrm::uuid session{};
};

/// Verifies a token, or finds it among those verified before.  Good until the next call.
/// Throws 28000 "token rejected", with the reason for the server's log only.
[[nodiscard]] const verified_token& verify_token(std::string_view token);

/// vrm.clock_skew: seconds by which clocks may differ.
[[nodiscard]] std::int64_t clock_skew() noexcept;

/// Makes somebody else the caller for a scope, or nobody; whoever it was before is so afterwards.
class identity_scope {
 public:
  /// Claims that have been verified; empty for nobody.
  explicit identity_scope(const char* claims);

 private:
  pg::setting_scope settings_;
};

/// Puts claims, which have been verified, in place for the rest of the transaction; empty for
/// nobody.
void set_identity(const char* claims);

}  // namespace vrm::sql
