// Writes vrm.call_facts, vrm.call_dirty and vrm.live_runs: below the executor where that leaves
// nothing out, as each call that begins or ends waits for it.
//
// Foreign keys are not asked: whoever deletes the owner deletes the calls first, which waits for
// whoever is changing one, and the facts afterwards (vrm_private.forget_queue).
#include "functions/analytics/fact_tables.h"

#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "boundary/table/fresh_snapshot.h"
#include "boundary/table/plain_table.h"
#include "functions/calls/events.h"
#include "functions/platform/uuid.h"

extern "C" {
#include "access/table.h"
#include "utils/numeric.h"
}

namespace vrm::sql {
namespace {

constexpr pg::known_table call_facts = platform_table("vrm", "call_facts");
constexpr pg::known_table call_dirty = platform_table("vrm", "call_dirty");
constexpr pg::known_table live_runs = platform_table("vrm", "live_runs");

pg::known_column fact_user("user_id");
pg::known_column fact_id("id");
pg::known_column fact_agent("agent_id");
pg::known_column fact_started_at("started_at");
pg::known_column fact_status("status");
pg::known_column fact_duration("duration_ms");
pg::known_column fact_sentiment("sentiment");
pg::known_column fact_actions("actions");
pg::known_column fact_customer("customer");
pg::known_column fact_bad("bad");
pg::known_column fact_outcome("outcome");
pg::known_column fact_kind("outcome_kind");
pg::known_column fact_cost("cost_micros");
pg::known_column fact_currency("currency");
pg::known_column fact_agent_ms("agent_ms");
pg::known_column fact_customer_ms("customer_ms");
pg::known_column fact_interruptions("interruptions");
pg::known_column fact_answers("answers");
pg::known_column fact_tool_calls("tool_calls");
pg::known_column fact_tool_failures("tool_failures");
pg::known_column mark_user("user_id");
pg::known_column mark_id("id");
pg::known_column mark_day("day");
pg::known_column mark_quarter("quarter");
pg::known_column live_user("user_id");
pg::known_column live_run("run_id");

constexpr std::array fact_columns_written = {
    &fact_user,          &fact_id,       &fact_agent,      &fact_started_at,
    &fact_status,        &fact_duration, &fact_sentiment,  &fact_actions,
    &fact_customer,      &fact_bad,      &fact_outcome,    &fact_kind,
    &fact_cost,          &fact_currency, &fact_agent_ms,   &fact_customer_ms,
    &fact_interruptions, &fact_answers,  &fact_tool_calls, &fact_tool_failures};
constexpr std::array mark_columns = {&mark_user, &mark_id, &mark_day, &mark_quarter};
constexpr std::array live_columns = {&live_user, &live_run};

/// What C++ has read from a vocabulary of its own, packed itself or counted from a clock.
constexpr std::array checks_of_facts = {"known_sentiment", "known_kind", "answers_length"};
constexpr std::array checks_of_marks = {"known_quarter"};

pg::statement<21> upsert_fact(
    "WITH fact AS (INSERT INTO vrm.call_facts (user_id, id, agent_id, started_at, status,"
    " duration_ms, sentiment, actions, customer, bad, outcome, outcome_kind, cost_micros, currency,"
    " agent_ms, customer_ms, interruptions, answers, tool_calls, tool_failures)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12,"
    " (SELECT o.kind FROM vrm.call_outcomes o WHERE o.name = $12), ($13 * 1000000)::bigint, $14,"
    " $15, $16, $17, $18, $19, $20) ON CONFLICT (user_id, id) DO UPDATE SET agent_id ="
    " excluded.agent_id, started_at = excluded.started_at, status = excluded.status, duration_ms ="
    " excluded.duration_ms, sentiment = excluded.sentiment, actions = excluded.actions, customer ="
    " excluded.customer, bad = excluded.bad, outcome = excluded.outcome, outcome_kind ="
    " excluded.outcome_kind, cost_micros = excluded.cost_micros, currency = excluded.currency,"
    " agent_ms = excluded.agent_ms, customer_ms = excluded.customer_ms, interruptions ="
    " excluded.interruptions, answers = excluded.answers, tool_calls = excluded.tool_calls,"
    " tool_failures = excluded.tool_failures), live AS (DELETE FROM vrm.live_runs"
    " WHERE user_id = $1 AND run_id = $2) INSERT INTO vrm.call_dirty (user_id, day, quarter)"
    " VALUES ($1, $11, $21)",
    {UUIDOID, UUIDOID, UUIDOID, TIMESTAMPTZOID, TEXTOID, INT8OID,    TEXTOID,
     INT4OID, INT8OID, BOOLOID, DATEOID,        TEXTOID, NUMERICOID, TEXTOID,
     INT4OID, INT4OID, INT4OID, BYTEAOID,       INT4OID, INT4OID,    INT4OID});
pg::statement<1> kind_of("SELECT o.kind FROM vrm.call_outcomes o WHERE o.name = $1", {TEXTOID});
pg::statement<2> insert_live(
    "INSERT INTO vrm.live_runs (user_id, run_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    {UUIDOID, UUIDOID});
pg::statement<2> delete_live("DELETE FROM vrm.live_runs WHERE user_id = $1 AND run_id = $2",
                             {UUIDOID, UUIDOID});

vrm::uuid uuid_in(const pg::argument& value) {
  return pg::datum_traits<vrm::uuid>::from(value.value);
}

pg::argument micros_of(const pg::argument& cost) {
  if (cost.null) return {};
  return pg::guarded([&] {
    const Datum million = NumericGetDatum(int64_to_numeric(1'000'000));
    const Datum micros = DirectFunctionCall2(numeric_mul, cost.value, million);
    return pg::argument(DirectFunctionCall1(numeric_int8, micros), false);
  });
}

std::optional<std::string> kind(const pg::argument& outcome) {
  if (outcome.null) return std::nullopt;
  const pg::spi_session session;
  if (kind_of.run({outcome}) == 0) return std::nullopt;
  return session.column<std::string>(0, 1);
}

/// The table of calls that are live, while it is open.
class live_table {
 public:
  [[nodiscard]] Relation relation() const noexcept { return table_.relation(); }
  [[nodiscard]] bool has(const pg::argument& owner, const pg::argument& run) {
    owner_ = uuid_in(owner);  // kept, as the reader refers to them
    run_ = uuid_in(run);
    return by_id_.find({owner_, run_});
  }
  void insert(const pg::argument& owner, const pg::argument& run) {
    table_.insert({{&live_user, owner.value}, {&live_run, run.value}});
  }
  /// The row that was found; false when somebody else has it.
  [[nodiscard]] bool remove() { return pg::remove_row(relation(), by_id_.row()); }
  void finish() {
    by_id_.finish();
    table_.finish();
  }

 private:
  pg::plain_table table_{live_runs};
  pg::index_reader by_id_{table_.relation(), "live_runs_pkey", live_runs.remedy};
  vrm::uuid owner_{};
  vrm::uuid run_{};
};

/// What the end of a call is written to.
struct end_tables {
  pg::plain_table facts{call_facts};
  pg::plain_table marks{call_dirty};
  live_table live;
  pg::index_reader fact_by_id{facts.relation(), "call_facts_pkey", call_facts.remedy};

  [[nodiscard]] bool is_plain() const {
    static pg::kept_answer plain;
    return plain.of([&] {
      return pg::is_plain(
                 facts.relation(), pg::write::insert,
                 {.checks = checks_of_facts, .columns = fact_columns_written, .keys = 1}) &&
             pg::is_plain(marks.relation(), pg::write::insert,
                          {.checks = checks_of_marks, .columns = mark_columns}) &&
             pg::is_plain(live.relation(), pg::write::remove, {});
    }) && pg::is_open_to_user(facts.relation()) &&
           pg::is_open_to_user(marks.relation()) && pg::is_open_to_user(live.relation());
  }

  void insert(const fact_columns& fact);
  void finish() {
    fact_by_id.finish();
    live.finish();
    marks.finish();
    facts.finish();
  }
};

void end_tables::insert(const fact_columns& fact) {
  const auto outcome_kind = kind(fact.outcome);
  const pg::argument kind_value =
      outcome_kind ? pg::argument(std::string_view(*outcome_kind)) : pg::argument();
  const pg::argument micros = micros_of(fact.cost);
  std::vector<pg::new_value> values;
  values.reserve(fact_columns_written.size());
  const auto put = [&](pg::known_column& column, const pg::argument& value) {
    if (!value.null) values.push_back({&column, value.value});
  };
  put(fact_user, fact.owner);
  put(fact_id, fact.run);
  put(fact_agent, fact.agent);
  put(fact_started_at, fact.started_at);
  put(fact_status, fact.status);
  put(fact_duration, fact.duration_ms);
  put(fact_sentiment, fact.sentiment);
  put(fact_actions, fact.actions);
  put(fact_customer, fact.customer);
  put(fact_bad, fact.bad);
  put(fact_outcome, fact.outcome);
  put(fact_kind, kind_value);
  put(fact_cost, micros);
  put(fact_currency, fact.currency);
  put(fact_agent_ms, fact.agent_ms);
  put(fact_customer_ms, fact.customer_ms);
  put(fact_interruptions, fact.interruptions);
  put(fact_answers, fact.answers);
  put(fact_tool_calls, fact.tool_calls);
  put(fact_tool_failures, fact.tool_failures);
  facts.insert(values);
  const vrm::uuid mark = uuid7();
  marks.insert({{&mark_user, fact.owner.value},
                {&mark_id, uuid_datum(mark)},
                {&mark_day, fact.day.value},
                {&mark_quarter, fact.quarter.value}});
}

/// False when there is a fact already, or a table has more to it.
bool put_new_fact(const fact_columns& fact) {
  const pg::fresh_snapshot snapshot;
  end_tables tables;
  const vrm::uuid owner = uuid_in(fact.owner);
  const vrm::uuid run = uuid_in(fact.run);
  const bool is_new = tables.is_plain() && !tables.fact_by_id.find({owner, run});
  if (is_new) {
    tables.insert(fact);
    // Somebody who changes such a row waits for this call, and a statement for them.
    if (tables.live.has(fact.owner, fact.run) && !tables.live.remove()) {
      const pg::spi_session session;
      delete_live.run({fact.owner, fact.run});
    }
  }
  tables.finish();
  return is_new;
}

}  // namespace

void put_fact(const fact_columns& fact) {
  if (put_new_fact(fact)) return;
  const pg::spi_session session;
  upsert_fact.run({fact.owner,         fact.run,         fact.agent,      fact.started_at,
                   fact.status,        fact.duration_ms, fact.sentiment,  fact.actions,
                   fact.customer,      fact.bad,         fact.day,        fact.outcome,
                   fact.cost,          fact.currency,    fact.agent_ms,   fact.customer_ms,
                   fact.interruptions, fact.answers,     fact.tool_calls, fact.tool_failures,
                   fact.quarter});
}

void put_live(const pg::argument& owner, const pg::argument& run) {
  static pg::kept_answer plain;
  const pg::fresh_snapshot snapshot;
  live_table live;
  const bool is_plain = plain.of([&] {
    return pg::is_plain(live.relation(), pg::write::insert, {.columns = live_columns, .keys = 1});
  }) && pg::is_open_to_user(live.relation());
  if (is_plain && !live.has(owner, run)) {
    live.insert(owner, run);
  } else {
    const pg::spi_session session;
    insert_live.run({owner, run});
  }
  live.finish();
}

void drop_live(const pg::argument& owner, const pg::argument& run) {
  const pg::spi_session session;
  delete_live.run({owner, run});
}

}  // namespace vrm::sql
