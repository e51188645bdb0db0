#pragma once

#include "core/identity/identity.h"

namespace vrm::sql {

/// Who the current statement runs for; nullptr for nobody.  Good until the identity changes.
[[nodiscard]] const vrm::identity* current_identity();

/// Whether claims are believed whose subject is no UUID, and is linked to nobody.
[[nodiscard]] bool has_unlinked_subject();

}  // namespace vrm::sql
