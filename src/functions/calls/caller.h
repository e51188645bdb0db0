#pragma once

#include <string_view>

#include "core/platform/uuid.h"

namespace vrm::sql {

/// For whom an API function is called: the person, or the organisation that they act for.  Throws
/// 28000 when nobody is signed in, 42501 when the account may not act, or not write, at the moment.
[[nodiscard]] vrm::uuid require_caller();

/// Throws 22023 unless `value` is there, where it has to be, and has at most so many characters.
void check_text(const char* name, std::optional<std::string_view> value, std::size_t most,
                bool required);

}  // namespace vrm::sql
