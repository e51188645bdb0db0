#pragma once

#include "boundary/value/jsonb_head.h"
#include "core/analytics/call_stats.h"

namespace vrm::sql {

/// What statistics take from a row of vrm.test_runs.  What cannot be read is left out and makes the
/// call a bad one; a duration that cannot be read is taken from the clock.
[[nodiscard]] call read_call(std::string_view status, std::optional<pg::timestamp> started,
                             std::optional<pg::timestamp> completed,
                             std::optional<pg::jsonb_head> results);

}  // namespace vrm::sql
