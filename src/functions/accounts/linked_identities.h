#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/platform/uuid.h"

/// Who is who at issuers whose subjects are no UUIDs: vrm_private.linked_identities.
namespace vrm::sql::linked_identities {

/// The person, as of the latest commit; nothing when nobody is linked.
[[nodiscard]] std::optional<vrm::uuid> find(std::string_view issuer, std::string_view subject);

/// Differs when somebody may have been linked or unlinked since.
[[nodiscard]] std::uint64_t generation();

}  // namespace vrm::sql::linked_identities
