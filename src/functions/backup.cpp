// What the server knows of its WAL that SQL cannot ask: vrm.rpo() is made of it.
#include <optional>

#include "core/error.h"
#include "pg/function.h"
#include "pg/record.h"
#include "pg/wal.h"

extern "C" {
#include "access/xlog.h"
}

namespace vrm::sql {
namespace {

void require_primary() {
  if (!pg::guarded([] { return RecoveryInProgress(); })) return;
  throw vrm::error("25006", "a standby does not know what its primary has archived")
      .hint("Connect to the primary server, then: SELECT * FROM vrm.rpo();");
}

}  // namespace

pg::record<pg::wal_location, pg::timestamp> wal_position() {
  require_primary();
  return {pg::last_important_record(), pg::segment_began()};
}

std::optional<pg::wal_location> wal_segment_end(std::string_view file) {
  require_primary();
  return pg::segment_end(file);
}

pg::record<std::optional<pg::timestamp>, bool> first_commit(pg::wal_location since,
                                                            std::int64_t most_bytes) {
  require_primary();
  const auto found = pg::first_commit_since(since, static_cast<std::uint64_t>(most_bytes));
  return {found.at, found.complete};
}

}  // namespace vrm::sql

VRM_EXPORT(vrm_wal_position, vrm::sql::wal_position);
VRM_EXPORT(vrm_wal_segment_end, vrm::sql::wal_segment_end);
VRM_EXPORT(vrm_first_commit, vrm::sql::first_commit);
