#pragma once

#include "core/call_stats.h"
#include "pg/jsonb_head.h"

namespace vrm::sql {

/// What statistics take from a row of vrm.test_runs.  What cannot be read is left out and makes the
/// call a bad one; a duration that cannot be read is taken from the clock.
[[nodiscard]] call read_call(std::string_view status, std::optional<pg::timestamp> started,
                             std::optional<pg::timestamp> completed,
                             std::optional<pg::jsonb_head> results);

}  // namespace vrm::sql
