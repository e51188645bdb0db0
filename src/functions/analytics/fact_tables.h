#pragma once

#include "boundary/call/statement.h"

namespace vrm::sql {

/// What is noted of a call that has ended, column by column.
struct fact_columns {
  pg::argument owner;
  pg::argument run;
  pg::argument agent;
  pg::argument started_at;
  pg::argument status;
  pg::argument duration_ms;
  pg::argument sentiment;
  pg::argument actions;
  pg::argument customer;
  pg::argument bad;
  pg::argument day;
  pg::argument outcome;
  pg::argument cost;  ///< numeric
  pg::argument currency;
  pg::argument agent_ms;
  pg::argument customer_ms;
  pg::argument interruptions;
  pg::argument answers;
  pg::argument tool_calls;
  pg::argument tool_failures;
  pg::argument quarter;
};

/// Puts the fact in the place of the one that is there, marks its quarter of an hour and takes the
/// call out of those that are live.
void put_fact(const fact_columns& fact);

/// A call that is queued or running.
void put_live(const pg::argument& owner, const pg::argument& run);
void drop_live(const pg::argument& owner, const pg::argument& run);

}  // namespace vrm::sql
