// What the server knows of its WAL that SQL cannot ask, which vrm.rpo() is made of; and
// CALL vrm.pre_deploy(), which has to hold tables from one transaction to the next.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "boundary/call/function.h"
#include "boundary/call/procedure.h"
#include "boundary/call/spi.h"
#include "boundary/error/notice.h"
#include "boundary/table/session_locks.h"
#include "boundary/table/wal.h"
#include "boundary/value/array.h"
#include "boundary/value/record.h"
#include "core/platform/error.h"
#include "functions/platform/grants.h"

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

using clock = std::chrono::steady_clock;

constexpr const char* example = "CALL vrm.pre_deploy('release-7');";
constexpr std::chrono::microseconds longest_wait = std::chrono::days(1);

void require_archiving(const pg::spi_session& spi) {
  if (spi.value<bool>("SELECT current_setting('archive_mode') <> 'off'").value_or(false)) return;
  throw vrm::error("55000", "WAL is not archived")
      .detail("archive_mode is off, so no restore point can be restored to.")
      .hint(
          "Set archive_command, then: ALTER SYSTEM SET archive_mode = on; and restart the server.");
}

/// As PostgreSQL writes an array; "null" stands for all tables.
// Text, which outlives the first transaction; the array's own memory does not.
std::optional<std::string> text_of(const std::optional<pg::relation_array>& tables) {
  if (!tables) return std::nullopt;
  std::string text = "{";
  for (const Oid table : tables->elements()) {
    if (text.size() > 1) text += ',';
    text += std::to_string(table);
  }
  return text + "}";
}

/// What is fingerprinted must not change before the restore point, which comes after the
/// fingerprints are committed: else the restored tables would not have them, or not match them.
std::string begin(const pg::procedure_call& call, pg::session_locks& held, const std::string& label,
                  const std::optional<std::string>& tables) {
  std::string name;
  call.step([&] {
    const pg::spi_session spi;
    require_archiving(spi);
    // Whoever writes is waited for that long, and whoever comes then waits along.
    spi.execute("SELECT set_config('lock_timeout', '10s', true)");
    const auto count = spi.execute(
        "SELECT t::oid::int8 FROM unnest(vrm_private.fingerprint_tables("
        "nullif($1, '')::oid[]::regclass[])) AS t",
        tables.value_or(""));
    for (std::uint64_t row = 0; row < count; ++row) {
      held.take(static_cast<Oid>(spi.column<std::int64_t>(row, 1).value()));
    }
    spi.execute("SELECT vrm_private.begin_restore_point($1, nullif($2, '')::oid[]::regclass[])",
                label, tables.value_or(""));
    name = spi.column<std::string>(0, 1).value();
  });
  return name;
}

void wait_for_archive(pg::procedure_call& call, const std::string& name,
                      std::chrono::microseconds most) {
  const auto end = clock::now() + std::clamp(most, std::chrono::microseconds(0), longest_wait);
  for (;;) {
    bool archived = false;
    call.step([&] {
      const pg::spi_session spi;
      spi.execute("SELECT vrm_private.is_archived($1)", name);
      archived = spi.column<bool>(0, 1).value_or(false);
    });
    call.commit();
    if (archived) return;
    if (clock::now() >= end) {
      throw vrm::error("55000", "restore point \"" + name + "\" is made, but not archived yet")
          .detail("Until it is, nothing can be restored to it.")
          .hint("SELECT * FROM vrm.rpo(); the archiver's error is in the server's log.");
    }
    pg::procedure_call::sleep(std::chrono::milliseconds(100));
  }
}

}  // namespace

pg::record<pg::wal_location, pg::timestamp> wal_position() {
  require_primary();
  return {pg::last_important_record(), pg::segment_began()};
}

std::optional<pg::wal_location> wal_segment_start(std::string_view file) {
  return pg::segment_start(file);
}

pg::record<std::optional<pg::timestamp>, bool> first_commit(pg::wal_location since,
                                                            std::int64_t most_bytes) {
  require_primary();
  const auto found = pg::first_commit_since(since, static_cast<std::uint64_t>(most_bytes));
  return {found.at, found.complete};
}

void pre_deploy(pg::procedure_call& call, std::string_view label,
                std::optional<pg::relation_array> tables, std::chrono::microseconds max_wait) {
  call.require_transaction_control(example);
  const std::string wanted(label);  // the argument's memory is the first transaction's
  const auto listed = text_of(tables);
  call.commit();
  std::string name;
  {
    // Locked from the fingerprints to the restore point, which is two transactions.
    pg::session_locks held;
    name = begin(call, held, wanted, listed);
    call.commit();
    call.step([&] {
      const pg::spi_session spi;
      spi.execute("SELECT vrm_private.make_restore_point($1)", name);
    });
  }
  // After the locks are gone: waiting for the archive stops nobody's writes.
  call.commit();
  wait_for_archive(call, name, max_wait);
  pg::notice(("restore point \"" + name + "\" is in the archive").c_str(), nullptr);
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_wal_position, vrm::sql::require_grant, vrm::sql::wal_position);
PG_EXPORT(vrm_wal_segment_start, vrm::sql::wal_segment_start);
PG_EXPORT_CHECKED(vrm_first_commit, vrm::sql::require_grant, vrm::sql::first_commit);
PG_EXPORT_CHECKED(vrm_pre_deploy, vrm::sql::require_grant, vrm::sql::pre_deploy);
