// Keeps one narrow row for each call that has ended, in step with vrm.test_runs, and marks the day
// whose statistics that changes.
//
// Days are marked always and never looked up first: a writer who marked a day only when it was not
// marked yet would rely on a mark that the compactor is just taking away.
#include <array>

#include "boundary/call/function.h"
#include "boundary/call/trigger.h"
#include "boundary/value/datum.h"
#include "boundary/value/record.h"
#include "functions/calls/calls.h"
#include "functions/retention/retention.h"

extern "C" {
#include "utils/date.h"
#include "utils/timestamp.h"
}

namespace vrm::sql {
namespace {

/// A day in UTC, as a date of PostgreSQL.
struct day {
  DateADT number;
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
enum column : std::uint8_t { user_id, id, agent_id, status, started_at, completed_at, results };
constexpr std::array<const char*, 7> column_names = {
    "user_id", "id", "agent_id", "status", "started_at", "completed_at", "results"};

/// A row of vrm.test_runs; its columns are found by name, because a DBA may add and drop some.
class run_row {
 public:
  run_row(HeapTuple row, TupleDesc columns) {
    pg::guarded([&] {
      for (std::size_t i = 0; i < column_names.size(); ++i) {
        const int number = SPI_fnumber(columns, column_names[i]);
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
  /// Whether there is a fact of it; a call at the end of time belongs to no day.
  [[nodiscard]] bool counts() const {
    const auto started = DatumGetTimestampTz(values_[started_at]);
    return has_ended(call_status_of(status_text())) && !TIMESTAMP_NOT_FINITE(started);
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
  const std::int64_t whole = moment / USECS_PER_DAY;
  return {static_cast<DateADT>(whole - static_cast<std::int64_t>(moment % USECS_PER_DAY < 0))};
}

day day_of(const run_row& row) { return day_of(DatumGetTimestampTz(row.value(started_at))); }

/// A statement that is planned once in a backend.
template <std::size_t Arguments>
class statement {
 public:
  constexpr statement(const char* sql, std::array<Oid, Arguments> types)
      : text_(sql), types_(types) {}

  void run(std::array<Datum, Arguments> values, const std::array<bool, Arguments>& nulls = {}) {
    std::array<char, Arguments + 1> flags{};
    for (std::size_t i = 0; i < Arguments; ++i) flags[i] = nulls[i] ? 'n' : ' ';
    pg::guarded([&] {
      SPI_connect();
      if (plan_ == nullptr) {
        const SPIPlanPtr made = SPI_prepare(text_, Arguments, types_.data());
        if (made == nullptr) elog(ERROR, "could not plan: %s", text_);
        SPI_keepplan(made);
        plan_ = made;
      }
      SPI_execute_plan(plan_, values.data(), flags.data(), false, 0);
      SPI_finish();
    });
  }

 private:
  const char* text_;
  std::array<Oid, Arguments> types_;
  SPIPlanPtr plan_ = nullptr;
};

constinit statement<11> put_fact(
    "WITH fact AS (INSERT INTO vrm.call_facts (user_id, id, agent_id, started_at, status,"
    " duration_ms, sentiment, actions, customer, bad) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"
    " $10) ON CONFLICT (user_id, id) DO UPDATE SET agent_id = excluded.agent_id, started_at ="
    " excluded.started_at, status = excluded.status, duration_ms = excluded.duration_ms, sentiment"
    " = excluded.sentiment, actions = excluded.actions, customer = excluded.customer, bad ="
    " excluded.bad) INSERT INTO vrm.call_dirty (user_id, day) VALUES ($1, $11)",
    {UUIDOID, UUIDOID, UUIDOID, TIMESTAMPTZOID, TEXTOID, INT8OID, TEXTOID, INT4OID, INT8OID,
     BOOLOID, DATEOID});
constinit statement<3> drop_fact(
    "WITH fact AS (DELETE FROM vrm.call_facts WHERE user_id = $1 AND id = $2)"
    " INSERT INTO vrm.call_dirty (user_id, day) VALUES ($1, $3)",
    {UUIDOID, UUIDOID, DATEOID});
constinit statement<2> mark_day("INSERT INTO vrm.call_dirty (user_id, day) VALUES ($1, $2)",
                                {UUIDOID, DATEOID});

void put(const run_row& row) {
  const call one = row.read();
  const std::string_view sentiment = name_of(one.sentiment);
  put_fact.run(
      {row.value(user_id), row.value(id), row.value(agent_id), row.value(started_at),
       row.value(status), Int64GetDatum(one.duration.value_or(0)),
       pg::datum_traits<std::string_view>::to(sentiment), Int32GetDatum(one.actions.value_or(0)),
       Int64GetDatum(static_cast<std::int64_t>(one.customer.value_or(0))), BoolGetDatum(one.bad),
       DateADTGetDatum(day_of(row).number)},
      {false, false, row.is_null(agent_id), false, false, !one.duration, sentiment.empty(),
       !one.actions, !one.customer, false, false});
}

void drop(const run_row& row) {
  drop_fact.run({row.value(user_id), row.value(id), DateADTGetDatum(day_of(row).number)});
}

bool same_key(const run_row& a, const run_row& b) {
  return a.get<uuid>(user_id) == b.get<uuid>(user_id) && a.get<uuid>(id) == b.get<uuid>(id);
}

}  // namespace

HeapTuple record_facts(const pg::trigger_call& event) {
  TupleDesc columns = RelationGetDescr(event.relation());
  const auto read = [columns](HeapTuple row) { return run_row(row, columns); };
  if (event.is_insert()) {
    const run_row now = read(event.row());
    if (now.counts()) put(now);
  } else if (event.is_delete()) {
    if (is_archiving()) return nullptr;  // the call goes, what it was stays
    const run_row before = read(event.row());
    if (before.counts()) drop(before);
  } else {
    const run_row before = read(event.old_row());
    const run_row now = read(event.row());
    const bool stays = now.counts() && same_key(before, now);
    if (before.counts() && !stays) drop(before);
    if (now.counts()) put(now);
    if (before.counts() && stays && day_of(before).number != day_of(now).number) {
      mark_day.run({before.value(user_id), DateADTGetDatum(day_of(before).number)});
    }
  }
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

}  // namespace pg

PG_EXPORT(vrm_record_facts, vrm::sql::record_facts);
PG_EXPORT(vrm_call_fact, vrm::sql::call_fact);
PG_EXPORT(vrm_utc_day, vrm::sql::utc_day);
