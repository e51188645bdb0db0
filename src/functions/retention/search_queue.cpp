// Calls whose words are to be indexed: noted when they end, below the executor where that leaves
// nothing out.
#include <array>

#include "boundary/call/statement.h"
#include "boundary/call/trigger.h"
#include "boundary/table/fresh_snapshot.h"
#include "boundary/table/plain_table.h"
#include "boundary/table/trigger_column.h"
#include "functions/platform/table.h"

extern "C" {
#include "access/table.h"
}

namespace vrm::sql {
namespace {

constexpr pg::known_table search = platform_table("vrm_private", "search");
constexpr pg::known_table search_queue = platform_table("vrm_private", "search_queue");

pg::known_column search_enabled("enabled");
pg::known_column queue_user("user_id");
pg::known_column queue_run("run_id");
pg::known_column run_user("user_id");
pg::known_column run_id("id");
pg::known_column run_completed_at("completed_at");
constexpr std::array queue_columns = {&queue_user, &queue_run};

// Who indexes may be taking a call off that changes once more: the conflict waits for the end of
// it.
pg::statement<2> insert_call(
    "INSERT INTO vrm_private.search_queue (user_id, run_id) VALUES ($1, $2)"
    " ON CONFLICT (user_id, run_id) DO NOTHING",
    {UUIDOID, UUIDOID});

bool is_enabled() {
  const Relation table =
      pg::guarded([] { return table_open(pg::oid_of(search), AccessShareLock); });
  pg::index_reader rows(table, "search_pkey", search.remedy);
  const bool enabled = rows.find({}) && rows.value<bool>(search_enabled).value_or(false);
  rows.finish();
  pg::guarded([&] { table_close(table, AccessShareLock); });
  return enabled;
}

/// A call that has just ended: nobody has queued it before.  The key is not asked, as whoever
/// deletes the owner takes these rows along (vrm_private.forget_queue).  False when the table has
/// more to it, or knows the call.
bool queue_first_time(const pg::argument& owner, const pg::argument& run) {
  static pg::kept_answer plain;
  pg::plain_table queue(search_queue);
  pg::index_reader by_id(queue.relation(), "search_queue_pkey", search_queue.remedy);
  const auto owner_id = pg::datum_traits<vrm::uuid>::from(owner.value);
  const auto id = pg::datum_traits<vrm::uuid>::from(run.value);
  const bool is_plain = plain.of([&] {
    return pg::is_plain(queue.relation(), pg::write::insert, {.columns = queue_columns, .keys = 1});
  }) && pg::is_open_to_user(queue.relation());
  const bool is_new = is_plain && !by_id.find({owner_id, id});
  if (is_new) queue.insert({{&queue_user, owner.value}, {&queue_run, run.value}});
  by_id.finish();
  queue.finish();
  return is_new;
}

}  // namespace

/// AFTER UPDATE of a call that has ended, or changes afterwards.
HeapTuple requeue_search(const pg::trigger_call& event) {
  const pg::fresh_snapshot snapshot;
  if (!is_enabled()) return nullptr;
  const pg::argument owner = pg::column_of(event, event.row(), run_user);
  const pg::argument run = pg::column_of(event, event.row(), run_id);
  const bool ends =
      event.old_row() != nullptr && pg::column_of(event, event.old_row(), run_completed_at).null;
  if (ends && queue_first_time(owner, run)) return nullptr;
  const pg::spi_session session;
  insert_call.run({owner, run});
  return nullptr;
}

}  // namespace vrm::sql

PG_EXPORT(vrm_requeue_search, vrm::sql::requeue_search);
