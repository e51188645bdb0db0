// One row in vrm.run_events for each change of a call's state, written below the executor where
// that leaves nothing out.
#include "functions/calls/events.h"

#include <array>

#include "boundary/call/statement.h"
#include "boundary/call/trigger.h"
#include "boundary/table/trigger_column.h"
#include "functions/platform/uuid.h"

extern "C" {
#include "access/xact.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"
}

namespace vrm::sql {
namespace {

pg::known_column event_user("user_id");
pg::known_column event_id("id");
pg::known_column event_run("run_id");
pg::known_column event_status("status");
pg::known_column event_at("at");
pg::known_column event_transaction("xid");
constexpr std::array event_columns = {&event_user,   &event_id, &event_run,
                                      &event_status, &event_at, &event_transaction};

pg::known_column run_user("user_id");
pg::known_column run_id("id");
pg::known_column run_status("status");
pg::known_column run_source("source");
pg::known_column run_completed_at("completed_at");

pg::statement<4> insert_event(
    "INSERT INTO vrm.run_events (user_id, run_id, status, at) VALUES ($1, $2, $3, $4)",
    {UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID});

}  // namespace

bool takes_events_plainly(const pg::plain_table& events) {
  return pg::is_plain(events.relation(), pg::write::insert, {.columns = event_columns, .keys = 1});
}

void write_event(pg::plain_table& events, Datum owner, Datum run, Datum status, TimestampTz at) {
  const vrm::uuid id = uuid7();
  const auto transaction = pg::guarded([] { return GetTopFullTransactionId(); });
  events.insert({{&event_user, owner},
                 {&event_id, uuid_datum(id)},
                 {&event_run, run},
                 {&event_status, status},
                 {&event_at, TimestampTzGetDatum(at)},
                 {&event_transaction, FullTransactionIdGetDatum(transaction)}});
}

/// AFTER INSERT OR UPDATE of a call that enters a state.
HeapTuple record_status(const pg::trigger_call& event) {
  const auto column = [&](pg::known_column& which) {
    return pg::column_of(event, event.row(), which);
  };
  const pg::argument owner = column(run_user);
  const pg::argument run = column(run_id);
  const pg::argument status = column(run_status);
  const pg::argument ended = column(run_completed_at);
  // What another platform reports has ended when that says so.
  const bool is_reported = !column(run_source).null && !ended.null;
  const TimestampTz at = is_reported ? DatumGetTimestampTz(ended.value) : GetCurrentTimestamp();

  static pg::kept_answer plain;
  pg::plain_table events(run_events);
  if (plain.of([&] { return takes_events_plainly(events); }) &&
      pg::is_open_to_user(events.relation())) {
    write_event(events, owner.value, run.value, status.value, at);
  } else {
    const pg::spi_session session;
    insert_event.run({owner, run, status, pg::argument(TimestampTzGetDatum(at), false)});
  }
  events.finish();
  // Not looked at, since the trigger is one of AFTER.
  return nullptr;
}

}  // namespace vrm::sql

PG_EXPORT(vrm_record_status, vrm::sql::record_status);
