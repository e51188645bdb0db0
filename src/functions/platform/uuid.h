#pragma once

#include "core/platform/uuid.h"

namespace vrm::sql {

/// A new id that sorts by the time of its making.
[[nodiscard]] vrm::uuid uuid7();

}  // namespace vrm::sql
