// The case of a call, the version of its agent, and its place in a suite.
#include "functions/testing/claimed_case.h"

#include <array>
#include <optional>

#include "boundary/table/index_reader.h"
#include "boundary/table/plain_table.h"
#include "functions/platform/table.h"

extern "C" {
#include "access/table.h"
}

namespace vrm::sql {
namespace {

/// A table that is read by one index, from when it is first needed.
class looked_up {
 public:
  looked_up(const char* name, const char* index) noexcept
      : known_(platform_table("vrm", name)), index_(index) {}

  [[nodiscard]] pg::index_reader& reader() {
    if (!reader_) reader_.emplace(open(), index_, known_.remedy);
    return *reader_;
  }
  void finish() {
    if (!reader_) return;
    reader_->finish();
    pg::guarded([&] { table_close(table_, AccessShareLock); });
  }

 private:
  Relation open() {
    table_ = pg::open_for_reading(known_);
    return table_;
  }

  pg::known_table known_;
  const char* index_;
  Relation table_ = nullptr;
  std::optional<pg::index_reader> reader_;
};

/// Columns of the result, in their order.
enum place : std::uint8_t {
  run_id,
  suite_run,
  agent_id,
  agent_version,
  connection_details,
  case_id,
  case_name,
  persona,
  scenario,
  metrics,
  repeat,
  attempt,
  lease_until,
  places
};

pg::known_column run_agent("agent_id");
pg::known_column run_version("agent_version");
pg::known_column version_details("connection_details");
pg::known_column call_suite_run("suite_run_id");
pg::known_column call_position("position");
pg::known_column call_repeat("repeat");
pg::known_column suite_case("case_id");
pg::known_column suite_case_name("name");
pg::known_column suite_case_persona("user_persona");
pg::known_column suite_case_scenario("scenario");
pg::known_column suite_case_metrics("metrics");
pg::known_column linked_owner("case_user_id");
pg::known_column linked_case("case_id");
pg::known_column case_of_name("name");
pg::known_column case_of_persona("user_persona");
pg::known_column case_of_scenario("scenario");
pg::known_column case_of_metrics("evaluator_metrics");

/// A row of the result that is being filled in; what it points to are rows that are still held.
struct told_row {
  std::array<Datum, places> values{};
  std::array<bool, places> nulls{};

  told_row() { nulls.fill(true); }
  void set(place where, Datum value) {
    values[where] = value;
    nulls[where] = false;
  }
  void copy(place where, const pg::index_reader& from, pg::known_column& column) {
    values[where] = from.datum(column, nulls[where]);
  }
};

}  // namespace

struct case_teller::tables {
  looked_up runs{"test_runs", "test_runs_pkey"};
  looked_up versions{"agent_versions", "agent_versions_pkey"};
  looked_up calls{"suite_calls", "suite_calls_run"};
  looked_up suite_cases{"suite_run_cases", "suite_run_cases_pkey"};
  looked_up links{"test_run_cases", "test_run_cases_pkey"};
  looked_up cases{"test_cases", "test_cases_pkey"};

  struct version_of {
    vrm::uuid agent;
    std::int32_t version;
    bool operator==(const version_of&) const = default;
  };
  std::optional<version_of> held;

  bool tell_of_suite(told_row& told, const vrm::uuid& owner, const vrm::uuid& run);
  void tell_of_first_case(told_row& told, const vrm::uuid& owner, const vrm::uuid& run);
  void tell_of_agent(told_row& told, const vrm::uuid& owner, const begun_call& call);
  std::optional<begun_call> look(const vrm::uuid& owner, const vrm::uuid& run);
};

case_teller::case_teller() : tables_(std::make_unique<tables>()) {}
case_teller::~case_teller() = default;

bool case_teller::tables::tell_of_suite(told_row& told, const vrm::uuid& owner,
                                        const vrm::uuid& run) {
  pg::index_reader& call = calls.reader();
  if (!call.find({owner, run})) return false;
  const auto suite = *call.value<vrm::uuid>(call_suite_run);
  pg::index_reader& of_suite = suite_cases.reader();
  if (!of_suite.find({owner, suite, *call.value<std::int32_t>(call_position)})) return false;
  told.copy(suite_run, call, call_suite_run);
  told.copy(repeat, call, call_repeat);
  told.copy(case_id, of_suite, suite_case);
  told.copy(case_name, of_suite, suite_case_name);
  told.copy(persona, of_suite, suite_case_persona);
  told.copy(scenario, of_suite, suite_case_scenario);
  told.copy(metrics, of_suite, suite_case_metrics);
  return true;
}

void case_teller::tables::tell_of_first_case(told_row& told, const vrm::uuid& owner,
                                             const vrm::uuid& run) {
  pg::index_reader& link = links.reader();
  link.seek({owner, run});  // in the order of their places
  while (link.next()) {
    const auto of = *link.value<vrm::uuid>(linked_owner);
    const auto id = *link.value<vrm::uuid>(linked_case);
    pg::index_reader& found = cases.reader();
    if (!found.find({of, id})) continue;
    told.copy(case_id, link, linked_case);
    told.copy(case_name, found, case_of_name);
    told.copy(persona, found, case_of_persona);
    told.copy(scenario, found, case_of_scenario);
    told.copy(metrics, found, case_of_metrics);
    return;
  }
}

void case_teller::tables::tell_of_agent(told_row& told, const vrm::uuid& owner,
                                        const begun_call& call) {
  if (call.agent) told.set(agent_id, pg::datum_traits<vrm::uuid>::to(*call.agent));
  if (call.version) told.set(agent_version, Int32GetDatum(*call.version));
  if (!call.agent || !call.version) return;
  // calls of a suite are of one version: its row is still held
  if (!held || *held != version_of{*call.agent, *call.version}) {
    held.reset();
    if (!versions.reader().find({owner, *call.agent, *call.version})) return;
    held = {*call.agent, *call.version};
  }
  told.copy(connection_details, versions.reader(), version_details);
}

/// Nothing when the call is gone.
std::optional<begun_call> case_teller::tables::look(const vrm::uuid& owner, const vrm::uuid& run) {
  pg::index_reader& row = runs.reader();
  if (!row.find({owner, run})) return std::nullopt;
  return begun_call{.agent = row.value<vrm::uuid>(run_agent),
                    .version = row.value<std::int32_t>(run_version)};
}

void case_teller::tell(const pg::row_set& rows, const vrm::uuid& owner, const taken_call& call) {
  const auto seen = call.seen ? call.seen : tables_->look(owner, call.run);
  if (!seen) return;
  told_row told;
  told.set(run_id, pg::datum_traits<vrm::uuid>::to(call.run));
  told.set(attempt, Int32GetDatum(call.attempt));
  told.set(lease_until, TimestampTzGetDatum(call.lease_until));
  tables_->tell_of_agent(told, owner, *seen);
  if (!tables_->tell_of_suite(told, owner, call.run) && seen->has_cases) {
    tables_->tell_of_first_case(told, owner, call.run);
  }
  rows.add(told.values, told.nulls);
}

void case_teller::finish() {
  for (looked_up* const one : {&tables_->runs, &tables_->versions, &tables_->calls,
                               &tables_->suite_cases, &tables_->links, &tables_->cases}) {
    one->finish();
  }
}

}  // namespace vrm::sql
