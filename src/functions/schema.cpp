// What many tables share: the column that tells when a row was last changed.
#include "pg/trigger.h"

extern "C" {
#include "access/xact.h"
#include "utils/timestamp.h"
}

namespace vrm::sql {

HeapTuple set_updated_at(const pg::trigger_call& call) {
  return call.row_with("updated_at", TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
}

}  // namespace vrm::sql

VRM_EXPORT_TRIGGER(vrm_set_updated_at, vrm::sql::set_updated_at);
