#pragma once

#include "core/identity/identity.h"

namespace vrm::sql {

/// Who the current statement runs for; nullptr for nobody.  Good until the identity changes.
[[nodiscard]] const vrm::identity* current_identity();

}  // namespace vrm::sql
