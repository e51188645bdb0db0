#pragma once

#include <optional>

#include "core/identity/acting.h"
#include "core/identity/identity.h"

namespace vrm::sql {

/// The organisation that a person acts for, by vrm.act_as() or by the claim act_as; nullptr for
/// themselves.  That they may is another question.  Good until either changes.
[[nodiscard]] const vrm::uuid* chosen_organisation(const vrm::identity& person);

/// Whose rows the current statement is about: the organisation that the person acts for, else the
/// person.  Nobody when nobody is signed in, or the membership has ended.
[[nodiscard]] std::optional<vrm::uuid> current_owner();

/// The person who acts, be it for themselves or for an organisation.
[[nodiscard]] std::optional<vrm::uuid> current_actor();

/// Whether the caller is more than a viewer.
[[nodiscard]] bool may_write();

inline constexpr const char* acting_setting_name = "vrm.acting";

/// Whether vrm.act_as() has chosen, be it the person.
[[nodiscard]] bool is_owner_chosen() noexcept;

/// Back to what claims say, and at the end of the transaction; may raise an ERROR.
void forget_chosen_organisation();

}  // namespace vrm::sql
