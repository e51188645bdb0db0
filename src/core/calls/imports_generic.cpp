// The form for everybody: what an application writes that has calls of its own, and what
// vrm.all_test_runs holds.  Names in camelCase and snake_case, times and durations in any form.
#include <algorithm>
#include <array>

#include "core/calls/imports_fields.h"
#include "core/calls/imports_values.h"

namespace vrm::imports {
namespace {

void read_cost(report& into, const json::value& value) {
  if (into.cost.empty()) into.cost = read_amount(value, 0);
}

// Of several names of one thing the first one here that a document has counts.
constexpr std::array fields = {
    field<report>{"externalId", text<&report::external_id>},
    field<report>{"external_id", text<&report::external_id>},
    field<report>{"callId", text<&report::external_id>},
    field<report>{"call_id", text<&report::external_id>},
    field<report>{"id", text<&report::external_id>},
    field<report>{"startedAt", time<&report::started_at>},
    field<report>{"started_at", time<&report::started_at>},
    field<report>{"endedAt", time<&report::ended_at>},
    field<report>{"ended_at", time<&report::ended_at>},
    field<report>{"completedAt", time<&report::ended_at>},
    field<report>{"completed_at", time<&report::ended_at>},
    field<report>{"createdAt", time<&report::noticed_at>},
    field<report>{"created_at", time<&report::noticed_at>},
    field<report>{"updatedAt", time<&report::clock>},
    field<report>{"updated_at", time<&report::clock>},
    field<report>{"durationMs", milliseconds<&report::duration>},
    field<report>{"duration_ms", milliseconds<&report::duration>},
    field<report>{"durationSeconds", seconds<&report::duration>},
    field<report>{"duration_seconds", seconds<&report::duration>},
    field<report>{"duration", seconds<&report::duration>},
    field<report>{"results/duration", seconds<&report::duration>},
    field<report>{"endedReason", text<&report::ended_reason>},
    field<report>{"ended_reason", text<&report::ended_reason>},
    field<report>{"outcome", text<&report::outcome>},
    field<report>{"customer", text<&report::customer>},
    field<report>{"results/customer", text<&report::customer>},
    field<report>{"direction", text<&report::direction>},
    field<report>{"agentId", text<&report::agent_id>},
    field<report>{"agent_id", text<&report::agent_id>},
    field<report>{"agent", text<&report::agent_name>},
    field<report>{"agentName", text<&report::agent_name>},
    field<report>{"agent_name", text<&report::agent_name>},
    field<report>{"agentVersion", text<&report::agent_version>},
    field<report>{"agent_version", text<&report::agent_version>},
    field<report>{"sentiment", sentiment},
    field<report>{"results/sentiment", sentiment},
    field<report>{"cost", read_cost},
    field<report>{"currency", currency},
    field<report>{"error", text<&report::error>},
};

struct word_status {
  std::string_view word;
  std::string_view status;
};
constexpr std::array<word_status, 12> statuses = {{{"completed", "completed"},
                                                   {"complete", "completed"},
                                                   {"done", "completed"},
                                                   {"ended", "completed"},
                                                   {"success", "completed"},
                                                   {"succeeded", "completed"},
                                                   {"failed", "failed"},
                                                   {"failure", "failed"},
                                                   {"error", "failed"},
                                                   {"cancelled", "cancelled"},
                                                   {"canceled", "cancelled"},
                                                   {"no-answer", "failed"}}};

constexpr std::array<std::string_view, 7> unended = {
    "queued", "running", "in-progress", "ongoing", "ringing", "initiated", "scheduled"};

constexpr std::array turn_texts = {
    field<turn>{"speaker", text<&turn::speaker>},
    field<turn>{"ms", milliseconds<&turn::begin>},
    field<turn>{"startMs", milliseconds<&turn::begin>},
    field<turn>{"start_ms", milliseconds<&turn::begin>},
    field<turn>{"start", seconds<&turn::begin>},
    field<turn>{"time", seconds<&turn::begin>},
    field<turn>{"endMs", milliseconds<&turn::end>},
    field<turn>{"end_ms", milliseconds<&turn::end>},
    field<turn>{"end", seconds<&turn::end>},
    field<turn>{"interrupted", truth<&turn::interrupted>},
};

constexpr std::array action_fields = {
    field<action>{"id", text<&action::id>},
    field<action>{"action", text<&action::name>},
    field<action>{"name", text<&action::name>},
    field<action>{"status", text<&action::status>},
    field<action>{"ok", truth<&action::ok>},
    field<action>{"ms", milliseconds<&action::begin>},
    field<action>{"startMs", milliseconds<&action::begin>},
    field<action>{"time", seconds<&action::begin>},
    field<action>{"took", milliseconds<&action::took>},
};

constexpr std::array insight_fields = {
    field<insight>{"type", text<&insight::type>},
    field<insight>{"value", text<&insight::value>},
    field<insight>{"description", text<&insight::description>},
};

/// The elements of the first list that is there.
std::vector<json::value> list_at(const json::value& payload,
                                 std::initializer_list<std::string_view> paths) {
  for (const std::string_view path : paths) {
    if (at(payload, path)) return elements_at(payload, path);
  }
  return {};
}

bool has_offset(const json::value& element) {
  return first_at(element, {"ms", "startMs", "start_ms", "start"}).has_value();
}

void read_turn(report& into, const json::value& element) {
  if (!element.is(json::kind::object)) mismatch(element, "an object");
  turn said;
  fill(said, element, std::span<const field<turn>>(turn_texts));
  // Without a role the name of the speaker may be one, such as "Agent".
  if (at(element, "role")) {
    read_role(into, said, element, "role");
  } else {
    said.role = role_of(said.speaker);
  }
  if (const auto message = first_at(element, {"message", "text", "content"}))
    said.message = read_message(*message);
  if (const auto latency = at(element, "latency"); latency && latency->is(json::kind::object)) {
    for (const auto& [part, value] : latency->members())
      said.latency.emplace_back(part, read_length(value, 0));
  } else if (latency) {
    said.latency.emplace_back("answer", read_length(*latency, 0));
  }
  // "time" is all that is left then, and tells whole seconds.
  if (!has_offset(element) && said.begin) into.times = precision::seconds;
  add_turn(into, std::move(said));
}

void read_action(report& into, const json::value& element) {
  if (!element.is(json::kind::object)) mismatch(element, "an object");
  action made;
  fill(made, element, std::span<const field<action>>(action_fields));
  if (made.name.empty()) missing(element, "action");
  if (const auto arguments = at(element, "arguments")) made.arguments = read_json(*arguments, into);
  if (const auto result = at(element, "result")) made.result = read_json(*result, into);
  into.actions.push_back(std::move(made));
}

void read_status(report& into, const json::value& payload) {
  const auto status = at(payload, "status");
  // Applications write a call down when it is over: without a status it went well.
  const std::string word = status ? folded(read_text(*status)) : "completed";
  const auto* const known = std::ranges::find(statuses, std::string_view(word), &word_status::word);
  if (known == statuses.end()) {
    if (std::ranges::find(unended, std::string_view(word)) != unended.end()) {
      into.what = disposition::ignored;
      into.reason = "the call has not ended";
      return;
    }
    mismatch(status ? *status : payload, R"("completed", "failed" or "cancelled")");
  }
  into.status = known->status;
  // The status says that it did not come about, the outcome why.
  if (word == "no-answer" && into.outcome.empty()) into.outcome = "no_answer";
}

void read(report& into, const json::value& payload) {
  fill(into, payload, std::span<const field<report>>(fields));
  read_status(into, payload);
  if (into.what == disposition::ignored) return;
  for (const json::value& element : list_at(payload, {"transcript", "turns", "results/transcript"}))
    read_turn(into, element);
  for (const json::value& element :
       list_at(payload, {"actionsTaken", "actions_taken", "results/actionsTaken"}))
    read_action(into, element);
  for (const json::value& element : list_at(payload, {"insights", "results/insights"})) {
    insight found;
    fill(found, element, std::span<const field<insight>>(insight_fields));
    into.insights.push_back(std::move(found));
  }
  if (const auto summary = at(payload, "summary"))
    into.insights.push_back({"summary", read_message(*summary), "summary of the call"});
  keep(into, payload, "metadata", "metadata");
}

/// What only calls have: an id alone could be that of anything.
bool is_call(const json::value& payload) {
  return first_at(payload,
                  {"startedAt", "started_at", "endedAt", "ended_at", "completedAt", "completed_at",
                   "createdAt", "created_at", "transcript", "turns", "results", "status",
                   "sentiment", "insights", "outcome", "cost", "actionsTaken"})
      .has_value();
}

bool is_mine(const json::value& payload) {
  return first_at(payload, {"externalId", "external_id", "callId", "call_id", "id"}).has_value() &&
         is_call(payload);
}

}  // namespace

constexpr adapter generic_adapter{
    is_mine,
    "/externalId with /startedAt, /endedAt, /transcript or another member of a call",
    read,
    {},
    is_call};

}  // namespace vrm::imports
