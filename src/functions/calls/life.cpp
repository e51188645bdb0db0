// Calls from their start on: turns and actions are added while they run.
//
// Whoever adds to a call takes the lock on its row that ending it takes.  A weaker one would have
// to be raised when the same transaction ends the call: of two that did, one would be a deadlock's
// victim.
#include <string>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/call/statement.h"
#include "boundary/value/array.h"
#include "boundary/value/jsonb.h"
#include "core/platform/error.h"
#include "functions/calls/caller.h"
#include "functions/calls/running_call.h"
#include "functions/calls/shapes.h"
#include "functions/calls/vocabulary.h"

namespace vrm::sql {
namespace {

constexpr std::chrono::microseconds longest_call = std::chrono::hours(24);
// As the CHECKs of vrm.transcript_turns have it, in characters.
constexpr std::size_t longest_speaker = 200;
constexpr std::size_t longest_message = 100'000;

using moment = std::optional<std::chrono::microseconds>;
using text = std::optional<std::string_view>;

pg::statement<5> start_call(
    "INSERT INTO vrm.test_runs (user_id, agent_id, test_case_ids, time_limit, outbound_call_params,"
    " status, direction) SELECT $1, a.id, to_jsonb(coalesce($3, '{}')), $4, $5, 'running',"
    " a.direction FROM vrm.agents a"
    " WHERE a.user_id = $1 AND a.id = $2 AND a.deleted_at IS NULL RETURNING id",
    {UUIDOID, UUIDOID, UUIDARRAYOID, INT4OID, JSONBOID});
pg::statement<2> begin_call(
    "UPDATE vrm.test_runs r SET status = 'running', started_at = clock_timestamp()"
    " WHERE r.user_id = $1 AND r.id = $2 AND r.status = 'queued'",
    {UUIDOID, UUIDOID});
pg::statement<2> status_of(
    "SELECT r.status::text FROM vrm.test_runs r WHERE r.user_id = $1 AND r.id = $2",
    {UUIDOID, UUIDOID});
// Checks, locks and writes in one statement: of a call that does not run, no row is inserted.
pg::statement<10> add_turn(
    "INSERT INTO vrm.transcript_turns"
    " (user_id, run_id, speaker, message, at, end_ms, role, interrupted, latency)"
    " SELECT $1, $2, $3, $4, coalesce($5, clock_timestamp() - r.started_at), $6,"
    " coalesce($7, (SELECT s.role FROM vrm.speaker_roles s WHERE s.speaker = $8), 'customer'), $9,"
    " $10 FROM (SELECT started_at FROM vrm.test_runs WHERE user_id = $1 AND id = $2"
    " AND status = 'running' FOR NO KEY UPDATE) AS r",
    {UUIDOID, UUIDOID, TEXTOID, TEXTOID, INTERVALOID, INT4OID, TEXTOID, TEXTOID, BOOLOID,
     JSONBOID});
pg::statement<9> add_turns(
    "INSERT INTO vrm.transcript_turns"
    " (user_id, run_id, speaker, message, at, end_ms, role, interrupted, latency)"
    " SELECT $1, $2, t.speaker, t.message,"
    " coalesce(t.ms * interval '1 millisecond', clock_timestamp() - r.started_at), t.end_ms, "
    "t.role,"
    " t.interrupted, t.latency FROM (SELECT started_at FROM vrm.test_runs WHERE user_id = $1"
    " AND id = $2 AND status = 'running' FOR NO KEY UPDATE) AS r,"
    " unnest($3, $4, $5, $6, $7, $8, $9)"
    " AS t (speaker, message, ms, end_ms, role, interrupted, latency)",
    {UUIDOID, UUIDOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT4ARRAYOID, TEXTARRAYOID,
     BOOLARRAYOID, JSONBARRAYOID});
pg::statement<9> add_action(
    "INSERT INTO vrm.run_actions"
    " (user_id, run_id, action, status, at, arguments, result, ok, took)"
    " SELECT $1, $2, $3, $4, coalesce($5, clock_timestamp() - r.started_at), $6, $7, $8, $9"
    " FROM (SELECT started_at FROM vrm.test_runs WHERE user_id = $1 AND id = $2"
    " AND status = 'running' FOR NO KEY UPDATE) AS r",
    {UUIDOID, UUIDOID, TEXTOID, TEXTOID, INTERVALOID, JSONBOID, JSONBOID, BOOLOID, INT4OID});

std::string text_of(const std::optional<vrm::uuid>& id) { return id ? to_string(*id) : "null"; }

/// check_offset() has bounded it: a day fits.
std::optional<std::int32_t> in_milliseconds(moment at) {
  if (!at) return std::nullopt;
  return static_cast<std::int32_t>((at->count() + 500) / 1000);
}

/// Whoever is cut short may not have said a word yet.
void check_message(text message, bool interrupted) {
  check_text("message", message, longest_message, !interrupted);
}

[[noreturn]] void throw_no_agent(const std::optional<vrm::uuid>& agent) {
  throw error("P0002", "agent \"" + text_of(agent) + "\" does not exist")
      .hint("SELECT id, agent_id FROM vrm.agents WHERE deleted_at IS NULL;");
}

void check_start(std::optional<std::int32_t> time_limit, const std::optional<pg::jsonb>& params) {
  if (!time_limit || *time_limit < 1 || *time_limit > 86'400) {
    throw error("22023", "time_limit must be between 1 and 86400 seconds")
        .detail("Got " + (time_limit ? std::to_string(*time_limit) : "null") + ".")
        .hint("Leave it out for 60 seconds.");
  }
  if (params && params->root().kind() != pg::jsonb_kind::object) {
    throw error("22023", "outbound_call_params must be an object")
        .detail("Got a value of another type.")
        .hint(R"(For example: '{"to": "+15550100"}'.)");
  }
}

}  // namespace

void throw_not_running(const vrm::uuid& owner, const std::optional<vrm::uuid>& run) {
  const std::string id = text_of(run);
  if (!run || status_of.run({owner, *run}) == 0) {
    throw error("P0002", "test run \"" + id + "\" does not exist")
        .hint("SELECT id, agent, status FROM vrm.live_calls();");
  }
  // status_of has run last, so that its row is the one at hand.
  const std::string status(pg::guarded([] {
    bool null = false;
    return pg::datum_traits<std::string_view>::from(
        SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null));
  }));
  throw error("55000", "test run \"" + id + "\" is not running")
      .detail("It is " + status + ".")
      .hint(status == "queued" ? "SELECT vrm.begin_test_run('" + id + "');"
                               : "Start another call: SELECT vrm.start_test_run(...);");
}

void check_offset(const char* name, moment at) {
  if (!at || (*at >= std::chrono::microseconds(0) && *at <= longest_call)) return;
  throw error("22023", std::string(name) + " must be between 0 and 24 hours")
      .detail("Got " + std::to_string(at->count() / 1000) + " ms.")
      .hint("Give the time since the start of the call, or leave it out for now.");
}

vrm::uuid start_test_run(std::optional<vrm::uuid> agent, std::optional<pg::uuid_array> cases,
                         std::optional<std::int32_t> time_limit, std::optional<pg::jsonb> params) {
  const vrm::uuid owner = require_caller();
  check_start(time_limit, params);
  const pg::spi_session session;
  // An agent of somebody else does not exist for the caller.
  if (!agent || start_call.run({owner, *agent, cases, *time_limit, params}) == 0) {
    throw_no_agent(agent);
  }
  return *session.column<vrm::uuid>(0, 1);
}

void begin_test_run(std::optional<vrm::uuid> run) {
  const vrm::uuid owner = require_caller();
  const pg::spi_session session;
  if (run && begin_call.run({owner, *run}) > 0) return;
  // To say it twice is no error: a client whose answer got lost says it again.
  if (run && status_of.run({owner, *run}) > 0 &&
      session.column<std::string>(0, 1) == std::optional<std::string>("running")) {
    return;
  }
  throw_not_running(owner, run);
}

void append_transcript(std::optional<vrm::uuid> run, text speaker, text message, moment at,
                       moment end_at, text role, std::optional<bool> interrupted,
                       std::optional<pg::jsonb> latency) {
  const vrm::uuid owner = require_caller();
  const bool was_interrupted = interrupted.value_or(false);
  check_text("speaker", speaker, longest_speaker, true);
  check_message(message, was_interrupted);
  check_offset("at", at);
  check_offset("end_at", end_at);
  if (end_at && at && *end_at < *at) {
    throw error("22023", "end_at must not be before at")
        .detail("Got " + std::to_string(end_at->count() / 1000) + " and " +
                std::to_string(at->count() / 1000) + " ms.")
        .hint("Give both as times since the start of the call.");
  }
  const pg::spi_session session;
  if (role) {
    role_book roles;
    // A literal, which outlives the book.
    role = name_of(roles.of_role(*role));
  }
  const std::string key = speaker_key(*speaker);
  if (!run || add_turn.run({owner, *run, *speaker, message, at, in_milliseconds(end_at), role,
                            std::string_view(key), was_interrupted, latency}) == 0) {
    throw_not_running(owner, run);
  }
}

void record_action(std::optional<vrm::uuid> run, text action, text status, moment at,
                   std::optional<pg::jsonb> arguments, std::optional<pg::jsonb> result,
                   std::optional<bool> ok, std::optional<std::int32_t> took) {
  const vrm::uuid owner = require_caller();
  check_text("action", action, 2000, true);
  check_text("status", status, 200, true);
  check_offset("at", at);
  if (took && *took < 0) {
    throw error("22023", "took must not be negative")
        .detail("Got " + std::to_string(*took) + " ms.")
        .hint("Give how long the action took, in ms, or leave it out.");
  }
  // What went wrong is no success, whatever word came with it.
  if (ok == std::optional(false) && *status == "success") status = "failure";
  const pg::spi_session session;
  if (!run ||
      add_action.run({owner, *run, *action, *status, at, arguments, result, ok, took}) == 0) {
    throw_not_running(owner, run);
  }
}

// --- many turns at once -------------------------------------------------------------------------

namespace {

struct new_turn {
  text speaker;
  text message;
  std::optional<std::int64_t> ms;
  std::optional<std::int64_t> end;
  text role;
  bool interrupted = false;
  std::optional<pg::jsonb_value> latency;
};

[[noreturn]] void throw_turns_not_valid(const std::string& why) {
  throw error("22023", "turns are not valid")
      .detail(why)
      .hint(R"(For example: '[{"speaker": "Agent", "message": "Hello", "ms": 870}]'.)");
}

new_turn read_new_turn(const pg::jsonb_object& members) {
  new_turn read;
  for (const auto& [name, value] : members) {
    const bool is_text = value.kind() == pg::jsonb_kind::string;
    if (name == "ms") read.ms = value.whole_number();
    if (name == "role" && is_text) read.role = value.text();
    if (name == "endMs") read.end = value.whole_number();
    if (name == "latency") read.latency = value;
    if (name == "message" && is_text) read.message = value.text();
    if (name == "speaker" && is_text) read.speaker = value.text();
    if (name == "interrupted") read.interrupted = value.is_true();
  }
  return read;
}

/// The column wants a speaker where a turn tells its role alone.
std::string_view speaker_for(speaker_role role) noexcept {
  switch (role) {
    case speaker_role::agent:
      return "Agent";
    case speaker_role::customer:
      return "Customer";
    case speaker_role::tool:
      return "Tool";
    case speaker_role::system:
      break;
  }
  return "System";
}

/// What shapes cannot say.
void check_new_turn(const new_turn& turn, std::size_t index) {
  constexpr std::int64_t longest = 86'400'000;
  const std::string at = "/" + std::to_string(index);
  if (turn.ms && *turn.ms > longest) throw_turns_not_valid(at + "/ms: is more than 24 hours");
  if (turn.end && *turn.end > longest) throw_turns_not_valid(at + "/endMs: is more than 24 hours");
  if (turn.end && turn.ms && *turn.end < *turn.ms) {
    throw_turns_not_valid(at + "/endMs: is before ms");
  }
  if (!turn.interrupted && (!turn.message || turn.message->empty())) {
    throw_turns_not_valid(at + "/message: is empty, and the turn was not interrupted");
  }
  if (turn.speaker && turn.speaker->empty()) throw_turns_not_valid(at + "/speaker: is empty");
}

std::vector<new_turn> read_new_turns(const pg::jsonb& document) {
  if (const auto wrong = new_turns_error(document)) throw_turns_not_valid(*wrong);
  std::vector<new_turn> turns;
  role_book roles;
  for (const pg::jsonb_value element : document.root().elements()) {
    pg::check_for_interrupts();
    new_turn turn = read_new_turn(element.members());
    check_new_turn(turn, turns.size());
    // The shape has seen to a speaker where there is no role.
    const speaker_role role =
        turn.role ? roles.of_role(*turn.role) : roles.of_speaker(*turn.speaker);
    turn.role = name_of(role);
    if (!turn.speaker) turn.speaker = speaker_for(role);
    turns.push_back(turn);
  }
  return turns;
}

/// A column of the turns as an array.
template <typename Get>
pg::argument array_of(const std::vector<new_turn>& turns, Oid element, Get&& get) {
  pg::array_builder built(element, turns.size());
  for (const new_turn& turn : turns) {
    const pg::argument column = get(turn);
    built.add(column.value, column.null);
  }
  return {built.finish(), false};
}

/// check_new_turn() has bounded it.
std::optional<std::int32_t> narrow(std::optional<std::int64_t> number) {
  if (!number) return std::nullopt;
  return static_cast<std::int32_t>(*number);
}

}  // namespace

void append_turns(std::optional<vrm::uuid> run, std::optional<pg::jsonb> document) {
  const vrm::uuid owner = require_caller();
  if (!document) throw_turns_not_valid("Got null.");
  // Before the turns are read, since looking up roles takes statements.
  const pg::spi_session session;
  const std::vector<new_turn> turns = read_new_turns(*document);
  if (turns.empty()) {
    // Without turns, too, it is said when the call does not run.
    if (!run || status_of.run({owner, *run}) == 0 ||
        session.column<std::string>(0, 1) != std::optional<std::string>("running")) {
      throw_not_running(owner, run);
    }
    return;
  }
  using pg::argument;
  const auto latency = [](const new_turn& turn) -> argument {
    if (!turn.latency) return {};
    JsonbValue value = turn.latency->for_backend();
    return {pg::guarded([&] { return JsonbPGetDatum(JsonbValueToJsonb(&value)); }), false};
  };
  if (!run ||
      add_turns.run({owner, *run,
                     array_of(turns, TEXTOID, [](auto& t) { return argument(t.speaker); }),
                     array_of(turns, TEXTOID, [](auto& t) { return argument(t.message); }),
                     array_of(turns, INT8OID, [](auto& t) { return argument(t.ms); }),
                     array_of(turns, INT4OID, [](auto& t) { return argument(narrow(t.end)); }),
                     array_of(turns, TEXTOID, [](auto& t) { return argument(t.role); }),
                     array_of(turns, BOOLOID, [](auto& t) { return argument(t.interrupted); }),
                     array_of(turns, JSONBOID, latency)}) == 0) {
    throw_not_running(owner, run);
  }
}

}  // namespace vrm::sql

PG_EXPORT(vrm_start_test_run, vrm::sql::start_test_run);
PG_EXPORT(vrm_begin_test_run, vrm::sql::begin_test_run);
PG_EXPORT(vrm_append_transcript, vrm::sql::append_transcript);
PG_EXPORT(vrm_append_turns, vrm::sql::append_turns);
PG_EXPORT(vrm_record_action, vrm::sql::record_action);
