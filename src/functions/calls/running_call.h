#pragma once

#include <optional>

#include "boundary/value/datum.h"
#include "core/platform/uuid.h"

namespace vrm::sql {

/// Says why nothing can be added to a call or it cannot end: P0002 when the owner has none of this
/// id, 55000 when it has not begun or is over.  Needs an spi_session.
[[noreturn]] void throw_not_running(const vrm::uuid& owner, const std::optional<vrm::uuid>& run);

/// Throws 22023 unless a time is within a call of a day at most.
void check_offset(const char* name, std::optional<std::chrono::microseconds> at);

}  // namespace vrm::sql
