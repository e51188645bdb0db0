#pragma once

#include "boundary/table/plain_table.h"
#include "functions/platform/table.h"

extern "C" {
#include "datatype/timestamp.h"
}

namespace vrm::sql {

constexpr pg::known_table run_events = platform_table("vrm", "run_events");

/// As an argument of what copies it.
[[nodiscard]] inline Datum uuid_datum(const vrm::uuid& id) noexcept {
  return PointerGetDatum(id.bytes.data());
}

/// Whether write_event() may write to the table.  Its foreign key need not be asked: whoever
/// deletes the owner deletes the calls first, which waits for whoever is changing one, and what is
/// about the owner afterwards (vrm_private.forget_queue).
[[nodiscard]] bool takes_events_plainly(const pg::plain_table& events);

/// Notes that a call has entered a state.
void write_event(pg::plain_table& events, Datum owner, Datum run, Datum status, TimestampTz at);

}  // namespace vrm::sql
