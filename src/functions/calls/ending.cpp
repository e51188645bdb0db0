// How calls end: what was said goes into their results, and the rows that held it go.
#include <algorithm>
#include <string>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/call/statement.h"
#include "boundary/value/jsonb.h"
#include "core/platform/error.h"
#include "functions/calls/caller.h"
#include "functions/calls/results.h"
#include "functions/calls/running_call.h"
#include "functions/platform/grants.h"

namespace vrm::sql {
namespace {

/// test_runs.ended_reason of a call that vrm.expire_test_runs() has ended.
constexpr std::string_view expired = "time_limit_exceeded";

using text = std::optional<std::string_view>;

// All that write to a call take this lock first: see life.cpp.
pg::statement<2> lock_call(
    "SELECT r.status::text, r.started_at, r.ended_reason FROM vrm.test_runs r"
    " WHERE r.user_id = $1 AND r.id = $2 FOR NO KEY UPDATE",
    {UUIDOID, UUIDOID});
pg::statement<2> results_of(
    "SELECT r.results FROM vrm.test_runs r WHERE r.user_id = $1 AND r.id = $2", {UUIDOID, UUIDOID});
pg::statement<13> set_end(
    "UPDATE vrm.test_runs r SET status = $3, completed_at = $4, error = $5, results = $6,"
    " source = coalesce($7, r.source), external_id = coalesce($8, r.external_id),"
    " direction = coalesce($9::vrm.call_direction, r.direction),"
    " outcome = coalesce($10, r.outcome), ended_reason = $11,"
    " cost = coalesce($12, r.cost), currency = coalesce($13, r.currency)"
    " WHERE r.user_id = $1 AND r.id = $2",
    {UUIDOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, JSONBOID, TEXTOID, TEXTOID, TEXTOID,
     TEXTOID, TEXTOID, NUMERICOID, TEXTOID});
// The end of a call that was given up may be earlier than that, but never before its start.
pg::statement<10> complete_expired(
    "UPDATE vrm.test_runs r SET status = 'completed', error = NULL, results = $3,"
    " completed_at = least(r.completed_at, r.started_at + vrm.call_duration($3)),"
    " source = coalesce($4, r.source), external_id = coalesce($5, r.external_id),"
    " direction = coalesce($6::vrm.call_direction, r.direction),"
    " outcome = coalesce($7, r.outcome), ended_reason = $8,"
    " cost = coalesce($9, r.cost), currency = coalesce($10, r.currency)"
    " WHERE r.user_id = $1 AND r.id = $2",
    {UUIDOID, UUIDOID, JSONBOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID, TEXTOID});
pg::statement<10> set_amended(
    "UPDATE vrm.test_runs r SET results = $3,"
    " source = coalesce($4, r.source), external_id = coalesce($5, r.external_id),"
    " direction = coalesce($6::vrm.call_direction, r.direction),"
    " outcome = coalesce($7, r.outcome), ended_reason = coalesce($8, r.ended_reason),"
    " cost = coalesce($9, r.cost), currency = coalesce($10, r.currency)"
    " WHERE r.user_id = $1 AND r.id = $2",
    {UUIDOID, UUIDOID, JSONBOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID, TEXTOID});
pg::statement<4> call_named(
    "SELECT r.id, r.external_id FROM vrm.test_runs o JOIN vrm.test_runs r ON r.user_id = o.user_id"
    " AND r.id <> o.id AND r.source IS NOT DISTINCT FROM coalesce($3, o.source)"
    " AND r.external_id = coalesce($4, o.external_id) WHERE o.user_id = $1 AND o.id = $2",
    {UUIDOID, UUIDOID, TEXTOID, TEXTOID});
// Amending is done to the row in vrm.test_runs, wherever retention has put it.
pg::statement<2> restore_archived(
    "SELECT vrm_private.restore_calls(ARRAY[a.id]) FROM vrm_private.test_runs_archive a"
    " WHERE a.user_id = $1 AND a.id = $2",
    {UUIDOID, UUIDOID});
pg::statement<2> note_amended(
    "SELECT vrm_private.write_event('call amended', jsonb_build_object('run_id', $1, 'members',"
    " (SELECT jsonb_agg(key) FROM jsonb_object_keys($2) AS key)))",
    {UUIDOID, JSONBOID});
// Whoever holds the row is at work on the call: it is passed over, and due the next time.
pg::statement<1> due_calls(
    "SELECT r.user_id, r.id, r.time_limit FROM vrm.live_runs l"
    " JOIN vrm.test_runs r ON r.user_id = l.user_id AND r.id = l.run_id"
    " WHERE r.status = 'running'"
    " AND r.started_at + make_interval(secs => r.time_limit) < clock_timestamp()"
    " LIMIT $1 FOR NO KEY UPDATE OF r SKIP LOCKED",
    {INT8OID});
pg::statement<2> drop_turns("DELETE FROM vrm.transcript_turns WHERE user_id = $1 AND run_id = $2",
                            {UUIDOID, UUIDOID});
pg::statement<2> drop_actions("DELETE FROM vrm.run_actions WHERE user_id = $1 AND run_id = $2",
                              {UUIDOID, UUIDOID});

/// A call whose row this transaction has locked.
struct locked_call {
  std::string status;
  pg::timestamp started;
  bool has_expired = false;
};

bool is_final(std::string_view status) { return status != "queued" && status != "running"; }

std::optional<locked_call> lock(const pg::spi_session& session, const vrm::uuid& owner,
                                const std::optional<vrm::uuid>& run) {
  if (!run || lock_call.run({owner, *run}) == 0) return std::nullopt;
  // Read before another statement runs, whose rows would take the place of these.
  const auto reason = session.column<std::string>(0, 3);
  return locked_call{.status = session.column<std::string>(0, 1).value_or(""),
                     .started = *session.column<pg::timestamp>(0, 2),
                     .has_expired = reason == std::optional(std::string(expired))};
}

/// By the clock, not by the transaction, which may have begun before the call.
pg::timestamp now() {
  return pg::datum_traits<pg::timestamp>::from(TimestampTzGetDatum(GetCurrentTimestamp()));
}

pg::argument datum_or_null(std::optional<Datum> value) {
  return {value.value_or(Datum{0}), !value.has_value()};
}

/// The index would refuse it, too, and say nothing of which call it is.
void check_external_id(const pg::spi_session& session, const vrm::uuid& owner, const vrm::uuid& run,
                       const call_facts_given& said) {
  if (!said.external_id && !said.source) return;
  if (call_named.run({owner, run, said.source, said.external_id}) == 0) return;
  const std::string other = to_string(*session.column<vrm::uuid>(0, 1));
  const std::string name = session.column<std::string>(0, 2).value_or("");
  throw error("23505", "another call has this external id")
      .detail("\"" + name + "\" is test run \"" + other + "\".")
      .hint("What is said later of that call: SELECT vrm.amend_test_run('" + other +
            "', results);");
}

/// Everything else about the end is known.
void put_end(const vrm::uuid& owner, const vrm::uuid& run, std::string_view status,
             pg::timestamp ended, text error, Datum results, const call_facts_given& said,
             text reason) {
  set_end.run({owner, run, status, ended, error, pg::argument(results, false), said.source,
               said.external_id, said.direction, said.outcome, reason, datum_or_null(said.cost),
               said.currency});
}

/// Merges a report into the call's results; how it is put there is the statement's.
void put_late(const pg::spi_session& session, const vrm::uuid& owner, const vrm::uuid& run,
              const std::optional<pg::jsonb>& given, const call_facts_given& said,
              pg::statement<10>& put) {
  (void)results_of.run({owner, run});
  const auto kept = session.column<pg::jsonb>(0, 1);
  auto document = Datum{0};
  if (!kept) {
    document = fold_results(owner, run, given, 0).document;
  } else if (given) {
    document = merge_results(*kept, *given);
  } else {
    document = pg::datum_traits<pg::jsonb>::to(*kept);
  }
  put.run({owner, run, pg::argument(document, false), said.source, said.external_id, said.direction,
           said.outcome, said.ended_reason, datum_or_null(said.cost), said.currency});
}

void end_call(const vrm::uuid& owner, const std::optional<vrm::uuid>& run, std::string_view status,
              const std::optional<pg::jsonb>& results, text error, text reason) {
  const pg::spi_session session;
  if (results) check_results(*results);
  const auto call = lock(session, owner, run);
  const bool completes = status == "completed";
  // Given up too early: the application went on and now says how the call ended, which counts.
  const bool late = call && completes && call->status == "failed" && call->has_expired;
  if (!call || (is_final(call->status) && !late) || (call->status == "queued" && completes)) {
    throw_not_running(owner, run);
  }
  const call_facts_given said = results ? read_given(*results) : call_facts_given{};
  check_external_id(session, owner, *run, said);
  if (late) return put_late(session, owner, *run, results, said, complete_expired);

  // A clock that was set back does not end the call before its start.
  const pg::timestamp ended = std::max(now(), call->started);
  const auto elapsed = std::chrono::floor<std::chrono::milliseconds>(ended - call->started);
  const folded document = fold_results(owner, *run, results, elapsed.count());
  put_end(owner, *run, status, ended, error, document.document, said,
          said.ended_reason ? said.ended_reason : reason);
  if (document.had_turns) drop_turns.run({owner, *run});
  if (document.had_actions) drop_actions.run({owner, *run});
}

}  // namespace

void complete_test_run(std::optional<vrm::uuid> run, std::optional<pg::jsonb> results) {
  end_call(require_caller(), run, "completed", results, std::nullopt, std::nullopt);
}

void fail_test_run(std::optional<vrm::uuid> run, text error) {
  check_text("error", error, 20'000, true);
  end_call(require_caller(), run, "failed", std::nullopt, error, std::nullopt);
}

void cancel_test_run(std::optional<vrm::uuid> run) {
  end_call(require_caller(), run, "cancelled", std::nullopt, std::nullopt, std::nullopt);
}

/// Calls that somebody is just writing to or ending are left to those.  The limit is looked at
/// again for each: whoever has begun a call anew meanwhile has given it more time.
std::int64_t expire_test_runs(std::optional<std::int64_t> most) {
  if (most && *most < 0) {
    throw error("22023", "most must not be negative")
        .detail("Got " + std::to_string(*most) + ".")
        .hint("SELECT vrm.expire_test_runs(1000);");
  }
  const pg::spi_session session;
  const std::uint64_t count = due_calls.run({most});
  struct due_call {
    vrm::uuid owner;
    vrm::uuid run;
    std::int32_t limit;
  };
  std::vector<due_call> due;
  // Copied first: each ending runs statements of its own, which replace these rows.
  due.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    due.push_back({.owner = *session.column<vrm::uuid>(i, 1),
                   .run = *session.column<vrm::uuid>(i, 2),
                   .limit = *session.column<std::int32_t>(i, 3)});
  }
  for (const due_call& call : due) {
    pg::check_for_interrupts();
    const std::string why = "time limit of " + std::to_string(call.limit) + " s exceeded";
    end_call(call.owner, call.run, "failed", std::nullopt, std::string_view(why), expired);
  }
  return static_cast<std::int64_t>(due.size());
}

/// An archived call is amended in vrm.test_runs; retention takes it back to the archive.
void amend_test_run(std::optional<vrm::uuid> run, std::optional<pg::jsonb> results) {
  const vrm::uuid owner = require_caller();
  if (!results) {
    throw error("22004", "there is nothing to amend the call with")
        .hint(R"(For example: SELECT vrm.amend_test_run(run_id, '{"sentiment": "positive"}');)");
  }
  // In an amendment null means nothing said; in results it would be wrong.
  results = without_nulls(*results);
  check_results(*results);
  const pg::spi_session session;
  auto call = lock(session, owner, run);
  if (!call && run && restore_archived.run({owner, *run}) > 0) call = lock(session, owner, run);
  if (!call) throw_not_running(owner, run);
  if (!is_final(call->status)) {
    throw error("55000", "test run \"" + to_string(*run) + "\" has not ended")
        .detail("It is " + call->status + ".")
        .hint("SELECT vrm.complete_test_run('" + to_string(*run) + "', results);");
  }
  const call_facts_given said = read_given(*results);
  check_external_id(session, owner, *run, said);
  put_late(session, owner, *run, results, said, set_amended);
  note_amended.run({*run, *results});
}

}  // namespace vrm::sql

PG_EXPORT(vrm_complete_test_run, vrm::sql::complete_test_run);
PG_EXPORT(vrm_fail_test_run, vrm::sql::fail_test_run);
PG_EXPORT(vrm_cancel_test_run, vrm::sql::cancel_test_run);
PG_EXPORT_CHECKED(vrm_expire_test_runs, vrm::sql::require_grant, vrm::sql::expire_test_runs);
PG_EXPORT(vrm_amend_test_run, vrm::sql::amend_test_run);
