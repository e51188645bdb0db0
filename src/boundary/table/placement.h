#pragma once

// Tables that Citus has spread over nodes.  Below the executor nobody routes: whoever reads or
// writes there asks here for the table that this node keeps the rows in.

#include "boundary/backend.h"
#include "core/platform/uuid.h"

namespace pg {

/// Whether Citus keeps the rows elsewhere than in the table itself, which is empty then.
/// Runs inside a guard, as all of these.
[[nodiscard]] bool is_spread(Oid table);

/// The table itself, the only shard of a table that every node has whole, or the shard of a tenant.
/// An ERROR 0A000 where this node does not have the rows, or nobody says whose they are.
[[nodiscard]] Oid placement_of(Oid table, const vrm::uuid* tenant = nullptr);

/// The index of a placement that is called so on its table; InvalidOid when there is none.
[[nodiscard]] Oid index_on(Oid placement, const char* name);

/// An ERROR 0A000 for what reads or writes a table itself, and nothing else.
void refuse_spread(Oid table);

}  // namespace pg
