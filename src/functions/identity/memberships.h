#pragma once

#include <cstdint>
#include <optional>

#include "core/identity/acting.h"
#include "core/platform/uuid.h"

/// Who belongs to which organisation, as one backend knows it.
namespace vrm::sql::memberships {

/// As of the latest commit; nothing for who is no member.
[[nodiscard]] std::optional<vrm::team_role> of(const vrm::uuid& organisation,
                                               const vrm::uuid& person);

/// Differs once what of() has said may not hold any more, as far as this backend has heard.
[[nodiscard]] std::uint64_t generation() noexcept;

}  // namespace vrm::sql::memberships
