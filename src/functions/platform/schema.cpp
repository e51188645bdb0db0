// What many tables share: the column that tells when a row was last changed, and the word to other
// backends that what they have kept of a table no longer holds.
#include "boundary/call/trigger.h"

extern "C" {
#include "access/xact.h"
#include "utils/inval.h"
#include "utils/timestamp.h"
}

namespace vrm::sql {

HeapTuple set_updated_at(const pg::trigger_call& call) {
  return call.row_with("updated_at", TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
}

/// Arrives with the commit, on standbys too; see pg::watched_table.
HeapTuple announce_change(const pg::trigger_call& call) {
  const Relation relation = call.relation();
  pg::guarded([relation] { CacheInvalidateRelcache(relation); });
  // OLD in a DELETE: nothing at all would leave the row where it is, were the trigger a BEFORE one.
  return call.row();
}

}  // namespace vrm::sql

PG_EXPORT(vrm_set_updated_at, vrm::sql::set_updated_at);
PG_EXPORT(vrm_announce_change, vrm::sql::announce_change);
