#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/identity/jwk.h"

/// The keys whose tokens this database believes, as one backend knows them.
namespace vrm::sql::signing_keys {

struct signing_key {
  std::string key_id;
  std::string issuer;
  std::optional<std::string> audience;
  std::string public_jwk;  ///< empty for HS256, whose secret stays sealed until it is needed
  mutable std::unique_ptr<vrm::jose::verification_key> ready;  ///< made when first needed
};

/// The key of that id or, without an id, the only key there is; nullptr when there is none.
/// Good until generation() changes.
[[nodiscard]] const signing_key* find(const std::optional<std::string>& key_id);

/// The key in a form that verifies signatures.
[[nodiscard]] const vrm::jose::verification_key& usable(const signing_key& key);

/// Goes up when the keys may have changed, so that nothing verified with them before still holds.
[[nodiscard]] std::uint64_t generation();

}  // namespace vrm::sql::signing_keys
