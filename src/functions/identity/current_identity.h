#pragma once

#include "core/identity/identity.h"

namespace vrm::sql {

/// Who the current statement runs for; nullptr for nobody.  Good until the identity changes.
[[nodiscard]] const vrm::identity* current_identity();

/// Whether claims are believed whose subject is no UUID, and is linked to nobody.
[[nodiscard]] bool has_unlinked_subject();

/// Whether the session is trusted and has set claims, of whomever.
[[nodiscard]] bool has_trusted_claims();

/// Whether somebody has signed in by vrm.login(); false while nobody has asked what a token says.
[[nodiscard]] bool is_known_caller() noexcept;

}  // namespace vrm::sql
