// Calls that leave the queue, written below the executor: a claim is little else.
//
// What an UPDATE from queued to running does besides: check_status_change() lets it pass,
// set_agent_version() fills in the version, record_status() writes an event.  The other triggers
// of the platform look at calls that have ended, or whose cases change.
#include "functions/testing/begun_calls.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "boundary/call/statement.h"
#include "functions/calls/events.h"

extern "C" {
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
}

namespace vrm::sql {
namespace {

constexpr pg::known_table test_runs = platform_table("vrm", "test_runs");

pg::known_column run_status("status");
pg::known_column run_started_at("started_at");
pg::known_column run_agent("agent_id");
pg::known_column run_version("agent_version");
pg::known_column run_cases("test_case_ids");
pg::known_column lease_user("user_id");
pg::known_column lease_run("run_id");
pg::known_column lease_runner("runner");
pg::known_column lease_attempts("attempts");
pg::known_column lease_claimed_at("claimed_at");
pg::known_column lease_until("lease_until");

constexpr std::array run_columns = {&run_status, &run_started_at, &run_version};
constexpr std::array lease_columns = {&lease_user,     &lease_run,        &lease_runner,
                                      &lease_attempts, &lease_claimed_at, &lease_until};

/// About the end of a call, which is not there yet; and the length of a name that was looked at.
constexpr std::array checks_that_hold = {"final_when_completed", "completed_after_start"};
constexpr std::array checks_of_leases = {"runner_length"};

struct known_trigger {
  const char* name;
  const char* function;
  const char* schema;
  bool is_needed;  ///< its work is done here, so that it has to be there
};
constexpr std::array<known_trigger, 9> triggers_of_runs = {{
    {"check_status_change", "check_status_change", "vrm_private", true},
    {"record_facts", "record_facts", "vrm", false},
    {"record_status", "record_status", "vrm_private", true},
    {"set_agent_version_of_queued", "set_agent_version", "vrm_private", true},
    {"judge_ended_call", "judge_ended_call", "vrm_private", false},
    {"refuse_held_change", "refuse_held_change", "vrm_private", false},
    {"relink_test_cases", "link_test_cases", "vrm_private", false},
    {"requeue_search", "requeue_search", "vrm_private", false},
    {"zz_digest_results", "digest_results", "vrm", false},
}};

/// By name, and by the function in case somebody has reused the name.
bool is_trigger(const Trigger& trigger, const known_trigger& known) {
  if (std::strcmp(trigger.tgname, known.name) != 0) return false;
  static std::array<Oid, triggers_of_runs.size()> functions{};
  Oid& function = functions[static_cast<std::size_t>(&known - triggers_of_runs.data())];
  if (function == trigger.tgfoid) return true;
  const char* const name = get_func_name(trigger.tgfoid);
  const char* const schema = get_namespace_name(get_func_namespace(trigger.tgfoid));
  const bool same = name != nullptr && schema != nullptr &&
                    std::strcmp(name, known.function) == 0 &&
                    std::strcmp(schema, known.schema) == 0;
  if (same) function = trigger.tgfoid;
  return same;
}

bool knows_trigger(const Trigger& trigger) {
  return std::ranges::any_of(
      triggers_of_runs, [&](const known_trigger& known) { return is_trigger(trigger, known); });
}

bool has_needed_triggers(const TriggerDesc* triggers) {
  std::size_t missing = 0;
  for (const known_trigger& known : triggers_of_runs) missing += known.is_needed ? 1 : 0;
  for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i) {
    const Trigger& trigger = triggers->triggers[i];
    if (trigger.tgenabled != TRIGGER_FIRES_ON_ORIGIN) continue;
    for (const known_trigger& known : triggers_of_runs) {
      if (known.is_needed && is_trigger(trigger, known)) --missing;
    }
  }
  return missing == 0;
}

pg::statement<3> begin_call(
    "UPDATE vrm.test_runs r SET status = 'running', started_at = clock_timestamp()"
    " WHERE r.user_id = $1 AND r.id = $2"
    " AND (r.status = 'queued' OR r.status = 'running' AND $3 > 0)",
    {UUIDOID, UUIDOID, INT4OID});
pg::statement<2> last_version(
    "SELECT v.version FROM vrm.agent_versions v WHERE v.user_id = $1 AND v.agent_id = $2"
    " ORDER BY v.version DESC LIMIT 1",
    {UUIDOID, UUIDOID});

bool begin_by_statement(const vrm::uuid& owner, const vrm::uuid& run, std::int32_t attempts) {
  const pg::spi_session session;
  return begin_call.run({owner, run, attempts}) > 0;
}

}  // namespace

struct call_taker::tables {
  pg::plain_table runs{test_runs};
  pg::plain_table events{run_events};
  pg::plain_table leases{run_leases};
  pg::index_reader run_by_id{runs.relation(), "test_runs_pkey", test_runs.remedy};
  Datum running = pg::datum_traits<std::string_view>::to("running");

  bool begin(const vrm::uuid& owner, const vrm::uuid& run, std::int32_t attempts,
             std::optional<begun_call>& seen);
  [[nodiscard]] bool are_defined_plainly(Relation queue) const;
  [[nodiscard]] begun_call look() const;
  [[nodiscard]] bool write_status(const vrm::uuid& owner, TimestampTz now, begun_call& seen);
};

call_taker::call_taker() : tables_(std::make_unique<tables>()) {}
call_taker::~call_taker() = default;

bool call_taker::tables::are_defined_plainly(Relation queue) const {
  // A copy, as is_trigger() looks into catalogs, and news that come with that free the table's own.
  return pg::guarded(
             [&] { return has_needed_triggers(CopyTriggerDesc(runs.relation()->trigdesc)); }) &&
         pg::is_plain(
             runs.relation(), pg::write::update,
             {.knows = knows_trigger, .checks = checks_that_hold, .columns = run_columns}) &&
         takes_events_plainly(events) &&
         pg::is_plain(leases.relation(), pg::write::insert,
                      {.checks = checks_of_leases, .columns = lease_columns}) &&
         pg::is_plain(queue, pg::write::remove, {});
}

bool call_taker::is_plain(Relation queue) const {
  static pg::kept_answer plain;
  return plain.of([&] { return tables_->are_defined_plainly(queue); }) &&
         std::ranges::all_of(std::array{tables_->runs.relation(), tables_->events.relation(),
                                        tables_->leases.relation(), queue},
                             pg::is_open_to_user);
}

begun_call call_taker::tables::look() const {
  bool null = false;
  const Datum cases = run_by_id.datum(run_cases, null);
  // an array of none is nothing but the word that says so
  const bool has_cases =
      !null && VARSIZE_ANY_EXHDR(DatumGetPointer(cases)) > sizeof(JsonbContainer);
  return {.agent = run_by_id.value<vrm::uuid>(run_agent),
          .version = run_by_id.value<std::int32_t>(run_version),
          .has_cases = has_cases};
}

/// Nothing but what an agent was is missing in a call that waits.
bool call_taker::tables::write_status(const vrm::uuid& owner, TimestampTz now, begun_call& seen) {
  const pg::new_value status = {.column = &run_status, .value = running};
  const pg::new_value started = {.column = &run_started_at, .value = TimestampTzGetDatum(now)};
  if (seen.agent && !seen.version) {
    const pg::spi_session session;
    if (last_version.run({owner, *seen.agent}) > 0) {
      seen.version = session.column<std::int32_t>(0, 1);
      return runs.replace(run_by_id.row(),
                          {status, started, {&run_version, Int32GetDatum(*seen.version)}});
    }
  }
  return runs.replace(run_by_id.row(), {status, started});
}

bool call_taker::tables::begin(const vrm::uuid& owner, const vrm::uuid& run, std::int32_t attempts,
                               std::optional<begun_call>& seen) {
  if (!run_by_id.find({owner, run})) return false;
  const auto status = run_by_id.value<std::string_view>(run_status);
  if (status == "running" && attempts > 0) return begin_by_statement(owner, run, attempts);
  if (status != "queued") return false;
  const TimestampTz now = GetCurrentTimestamp();
  begun_call call = look();
  if (!write_status(owner, now, call)) return begin_by_statement(owner, run, attempts);
  write_event(events, uuid_datum(owner), uuid_datum(run), running, GetCurrentTimestamp());
  seen = call;
  return true;
}

std::optional<taken_call> call_taker::begin(const lease_of& lease, const vrm::uuid& run,
                                            std::int32_t attempts) {
  std::optional<begun_call> seen;
  if (!tables_->begin(lease.owner, run, attempts, seen)) return std::nullopt;
  const TimestampTz now = GetCurrentTimestamp();
  const taken_call taken = {
      .run = run, .attempt = attempts + 1, .lease_until = now + lease.length, .seen = seen};
  const pg::new_value owner = {&lease_user, uuid_datum(lease.owner)};
  const pg::new_value call = {&lease_run, uuid_datum(run)};
  const pg::new_value count = {&lease_attempts, Int32GetDatum(taken.attempt)};
  const pg::new_value since = {&lease_claimed_at, TimestampTzGetDatum(now)};
  const pg::new_value until = {&lease_until, TimestampTzGetDatum(taken.lease_until)};
  if (lease.runner) {
    const Datum name = pg::datum_traits<std::string_view>::to(*lease.runner);
    tables_->leases.insert({owner, call, count, since, until, {&lease_runner, name}});
  } else {
    tables_->leases.insert({owner, call, count, since, until});
  }
  return taken;
}

void call_taker::finish() {
  tables_->run_by_id.finish();
  tables_->runs.finish();
  tables_->events.finish();
  tables_->leases.finish();
}

}  // namespace vrm::sql
