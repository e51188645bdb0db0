// Keeps one narrow row for each call that has ended, in step with vrm.test_runs, and marks the
// quarter of an hour whose statistics that changes.
//
// Quarters are marked always and never looked up first: a writer who marked one only when it was
// not marked yet would rely on a mark that the compactor is just taking away.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/call/statement.h"
#include "boundary/call/trigger.h"
#include "boundary/value/array.h"
#include "boundary/value/datum.h"
#include "boundary/value/record.h"
#include "core/analytics/conversation_stats.h"
#include "functions/analytics/fact.h"
#include "functions/analytics/fact_tables.h"
#include "functions/analytics/speech.h"
#include "functions/calls/calls.h"
#include "functions/retention/retention.h"

extern "C" {
#include "catalog/namespace.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

namespace vrm::sql {
namespace {

/// A day in UTC, as a date of PostgreSQL.
struct day {
  DateADT number;
};

/// An array of bigint.
struct milliseconds {
  Datum array;
};

std::string_view name_of(call_sentiment sentiment) {
  switch (sentiment) {
    case call_sentiment::positive:
      return "positive";
    case call_sentiment::neutral:
      return "neutral";
    case call_sentiment::negative:
      return "negative";
    case call_sentiment::none:
      break;
  }
  return {};
}

bool has_ended(call_status status) {
  return status == call_status::completed || status == call_status::failed ||
         status == call_status::cancelled;
}

/// The columns of vrm.test_runs that count here.
enum column : std::uint8_t {
  user_id,
  id,
  agent_id,
  status,
  started_at,
  completed_at,
  results,
  outcome,
  cost,
  currency
};
constexpr std::array<const char*, 10> column_names = {
    "user_id",      "id",      "agent_id", "status", "started_at",
    "completed_at", "results", "outcome",  "cost",   "currency"};
/// The columns that a platform of 1.0.0 has as well; the others count as null there.
constexpr std::size_t columns_of_1_0 = 7;

/// A row of vrm.test_runs; its columns are found by name, because a DBA may add and drop some.
class run_row {
 public:
  run_row(HeapTuple row, TupleDesc columns) {
    pg::guarded([&] {
      for (std::size_t i = 0; i < column_names.size(); ++i) {
        const int number = SPI_fnumber(columns, column_names[i]);
        if (number <= 0 && i >= columns_of_1_0) {
          nulls_[i] = true;
          continue;
        }
        if (number <= 0) {
          ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                  errmsg("column \"%s\" does not exist", column_names[i]),
                  errdetail("vrm.record_facts() is a trigger of vrm.test_runs."),
                  errhint("What is missing there: SELECT vrm.missing_from_platform();"));
        }
        values_[i] = SPI_getbinval(row, columns, number, &nulls_[i]);
      }
    });
  }

  [[nodiscard]] Datum value(column which) const { return values_[which]; }
  [[nodiscard]] bool is_null(column which) const { return nulls_[which]; }

  template <typename T>
  [[nodiscard]] std::optional<T> get(column which) const {
    if (nulls_[which]) return std::nullopt;
    return pg::guarded([&] { return pg::datum_traits<T>::from(values_[which]); });
  }

  [[nodiscard]] std::string_view status_text() const {
    return get<std::string_view>(status).value_or("");
  }
  [[nodiscard]] bool is_live() const {
    const call_status now = call_status_of(status_text());
    return now == call_status::queued || now == call_status::running;
  }
  /// Whether there is a fact of it; a call at the end of time belongs to no day.
  [[nodiscard]] bool counts() const {
    const auto started = pg::datum_traits<pg::timestamp>::from(values_[started_at]);
    return has_ended(call_status_of(status_text())) && started > pg::timestamp::min() &&
           started < pg::timestamp::max();
  }
  [[nodiscard]] call read() const {
    return read_call(status_text(), get<pg::timestamp>(started_at),
                     get<pg::timestamp>(completed_at), get<pg::jsonb_head>(results));
  }

 private:
  std::array<Datum, column_names.size()> values_{};
  std::array<bool, column_names.size()> nulls_{};
};

day day_of(TimestampTz moment) {
  if (TIMESTAMP_IS_NOBEGIN(moment)) return {DATEVAL_NOBEGIN};
  if (TIMESTAMP_IS_NOEND(moment)) return {DATEVAL_NOEND};
  // Rounded down, also before 2000, where the remainder is negative.
  const std::int64_t whole = moment / USECS_PER_DAY;
  return {static_cast<DateADT>(whole - static_cast<std::int64_t>(moment % USECS_PER_DAY < 0))};
}

day day_of(const run_row& row) { return day_of(DatumGetTimestampTz(row.value(started_at))); }

std::int32_t quarter_of(const run_row& row) {
  return sql::quarter_of(pg::datum_traits<pg::timestamp>::from(row.value(started_at)));
}

/// In a platform of before 1.1, until vrm.upgrade() has been there.
pg::statement<11> put_fact_1_0(
    "WITH fact AS (INSERT INTO vrm.call_facts (user_id, id, agent_id, started_at, status,"
    " duration_ms, sentiment, actions, customer, bad) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"
    " $10) ON CONFLICT (user_id, id) DO UPDATE SET agent_id = excluded.agent_id, started_at ="
    " excluded.started_at, status = excluded.status, duration_ms = excluded.duration_ms, sentiment"
    " = excluded.sentiment, actions = excluded.actions, customer = excluded.customer, bad ="
    " excluded.bad) INSERT INTO vrm.call_dirty (user_id, day) VALUES ($1, $11)",
    {UUIDOID, UUIDOID, UUIDOID, TIMESTAMPTZOID, TEXTOID, INT8OID, TEXTOID, INT4OID, INT8OID,
     BOOLOID, DATEOID});
pg::statement<4> drop_fact(
    "WITH fact AS (DELETE FROM vrm.call_facts WHERE user_id = $1 AND id = $2)"
    " INSERT INTO vrm.call_dirty (user_id, day, quarter) VALUES ($1, $3, $4)",
    {UUIDOID, UUIDOID, DATEOID, INT4OID});
pg::statement<3> drop_fact_1_0(
    "WITH fact AS (DELETE FROM vrm.call_facts WHERE user_id = $1 AND id = $2)"
    " INSERT INTO vrm.call_dirty (user_id, day) VALUES ($1, $3)",
    {UUIDOID, UUIDOID, DATEOID});
pg::statement<3> mark_quarter(
    "INSERT INTO vrm.call_dirty (user_id, day, quarter) VALUES ($1, $2, $3)",
    {UUIDOID, DATEOID, INT4OID});
pg::statement<2> mark_day("INSERT INTO vrm.call_dirty (user_id, day) VALUES ($1, $2)",
                          {UUIDOID, DATEOID});
/// Whether the platform keeps calls that are live in a table of their own, and marks quarters of
/// an hour, as it does from 1.1 on.
bool has_live_runs() {
  return pg::guarded([] {
    const Oid schema = get_namespace_oid("vrm", true);
    return OidIsValid(schema) && OidIsValid(get_relname_relid("live_runs", schema));
  });
}

pg::argument column_of(const run_row& row, column which) {
  return {row.value(which), row.is_null(which)};
}

void put(const run_row& row) {
  const call one = row.read();
  std::optional<std::string_view> sentiment;
  if (one.sentiment != call_sentiment::none) sentiment = name_of(one.sentiment);
  std::optional<std::int64_t> customer;
  if (one.customer) customer = static_cast<std::int64_t>(*one.customer);
  const pg::argument day_number(DateADTGetDatum(day_of(row).number), false);
  // A platform that was not upgraded yet: the library may be newer than the tables.
  if (!has_live_runs()) {
    const pg::spi_session session;
    put_fact_1_0.run({column_of(row, user_id), column_of(row, id), column_of(row, agent_id),
                      column_of(row, started_at), column_of(row, status), one.duration, sentiment,
                      one.actions, customer, one.bad, day_number});
    return;
  }
  const speech said = read_speech(row.get<pg::jsonb>(results));
  put_fact({.owner = column_of(row, user_id),
            .run = column_of(row, id),
            .agent = column_of(row, agent_id),
            .started_at = column_of(row, started_at),
            .status = column_of(row, status),
            .duration_ms = one.duration,
            .sentiment = sentiment,
            .actions = one.actions,
            .customer = customer,
            .bad = one.bad,
            .day = day_number,
            .outcome = column_of(row, outcome),
            .cost = column_of(row, cost),
            .currency = column_of(row, currency),
            .agent_ms = said.agent_ms,
            .customer_ms = said.customer_ms,
            .interruptions = said.interruptions,
            .answers = said.packed_answers(),
            .tool_calls = said.tool_calls,
            .tool_failures = said.tool_failures,
            .quarter = quarter_of(row)});
}

void drop(const run_row& row) {
  const pg::argument day_number(DateADTGetDatum(day_of(row).number), false);
  const pg::spi_session session;
  if (has_live_runs()) {
    drop_fact.run({column_of(row, user_id), column_of(row, id), day_number, quarter_of(row)});
  } else {
    drop_fact_1_0.run({column_of(row, user_id), column_of(row, id), day_number});
  }
}

void mark(const run_row& row) {
  const pg::argument day_number(DateADTGetDatum(day_of(row).number), false);
  const pg::spi_session session;
  if (has_live_runs()) {
    mark_quarter.run({column_of(row, user_id), day_number, quarter_of(row)});
  } else {
    mark_day.run({column_of(row, user_id), day_number});
  }
}

void add_live(const run_row& row) {
  if (has_live_runs()) put_live(column_of(row, user_id), column_of(row, id));
}

void remove_live(const run_row& row) {
  if (has_live_runs()) drop_live(column_of(row, user_id), column_of(row, id));
}

bool same_key(const run_row& a, const run_row& b) {
  return a.get<uuid>(user_id) == b.get<uuid>(user_id) && a.get<uuid>(id) == b.get<uuid>(id);
}

/// A call that has changed, its key included.
void follow(const run_row& before, const run_row& now) {
  const bool stays = now.counts() && same_key(before, now);
  // A key that changes is another call: the fact of the old one goes, with its day marked.
  if (before.counts() && !stays) drop(before);
  if (now.counts()) put(now);
  if (before.counts() && stays && before.value(started_at) != now.value(started_at)) mark(before);
  // put() has taken a call that has ended out of those that are live
  const bool stays_live = now.is_live() && same_key(before, now);
  if (before.is_live() && !stays_live && !(same_key(before, now) && now.counts())) {
    remove_live(before);
  }
  if (now.is_live() && !(before.is_live() && same_key(before, now))) add_live(now);
}

}  // namespace

HeapTuple record_facts(const pg::trigger_call& event) {
  TupleDesc columns = RelationGetDescr(event.relation());
  const auto read = [columns](HeapTuple row) { return run_row(row, columns); };
  if (event.is_insert()) {
    const run_row now = read(event.row());
    if (now.counts()) put(now);
    if (now.is_live()) add_live(now);
  } else if (event.is_delete()) {
    if (is_archiving()) return nullptr;  // the call goes, what it was stays
    const run_row before = read(event.row());
    if (before.counts()) drop(before);
    if (before.is_live()) remove_live(before);
  } else {
    follow(read(event.old_row()), read(event.row()));
  }
  // Not looked at, since the trigger is one of AFTER.
  return nullptr;
}

using fact_row = pg::record<std::optional<std::int64_t>, std::optional<std::string_view>,
                            std::optional<std::int32_t>, std::optional<std::int64_t>, bool>;

fact_row call_fact(std::optional<std::string_view> of_status, std::optional<pg::timestamp> started,
                   std::optional<pg::timestamp> completed, std::optional<pg::jsonb_head> document) {
  const call one = read_call(of_status.value_or(""), started, completed, document);
  std::optional<std::string_view> sentiment;
  if (one.sentiment != call_sentiment::none) sentiment = name_of(one.sentiment);
  std::optional<std::int64_t> customer;
  if (one.customer) customer = static_cast<std::int64_t>(*one.customer);
  return {one.duration, sentiment, one.actions, customer, one.bad};
}

using speech_row =
    pg::record<std::optional<std::int32_t>, std::optional<std::int32_t>,
               std::optional<std::int32_t>, std::optional<std::span<const std::byte>>,
               std::optional<std::int32_t>, std::optional<std::int32_t>>;

/// In memory of the query: the row is a view of it.
speech_row speech_fact(std::optional<pg::jsonb> document) {
  const speech said = read_speech(document);
  std::optional<std::span<const std::byte>> answers;
  if (!said.answers.empty()) {
    void* const place = pg::allocate(said.answers.size());
    std::memcpy(place, said.answers.data(), said.answers.size());
    answers = std::span(static_cast<const std::byte*>(place), said.answers.size());
  }
  return {said.agent_ms, said.customer_ms, said.interruptions,
          answers,       said.tool_calls,  said.tool_failures};
}

milliseconds answering_times(std::span<const std::byte> packed) {
  const auto answers = vrm::unpack_answers(packed);
  pg::array_builder times(INT8OID, answers.size());
  for (const std::int64_t answer : answers) times.add(Int64GetDatum(answer), false);
  return {times.finish()};
}

day utc_day(pg::timestamp moment) {
  return day_of(DatumGetTimestampTz(pg::datum_traits<pg::timestamp>::to(moment)));
}

}  // namespace vrm::sql

namespace pg {

template <>
struct datum_traits<vrm::sql::day> {
  static constexpr Oid oid = DATEOID;
  static Datum to(vrm::sql::day value) noexcept { return DateADTGetDatum(value.number); }
};

template <>
struct datum_traits<vrm::sql::milliseconds> {
  static constexpr Oid oid = INT8ARRAYOID;
  static Datum to(vrm::sql::milliseconds value) noexcept { return value.array; }
};

}  // namespace pg

PG_EXPORT(vrm_record_facts, vrm::sql::record_facts);
PG_EXPORT(vrm_call_fact, vrm::sql::call_fact);
PG_EXPORT(vrm_speech_fact, vrm::sql::speech_fact);
PG_EXPORT(vrm_answering_times, vrm::sql::answering_times);
PG_EXPORT(vrm_utc_day, vrm::sql::utc_day);
