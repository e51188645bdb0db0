// ElevenLabs: post-call webhooks and conversations of its API.
//
// Source: serialization types of elevenlabs/elevenlabs-js 2.56.0 and ElevenLabs' page on post-call
// webhooks.  Its times are whole seconds, and what it calls cost are credits, not money.
#include <array>

#include "core/calls/imports_fields.h"
#include "core/calls/imports_values.h"

namespace vrm::imports {
namespace {

constexpr std::array fields = {
    field<report>{"conversation_id", text<&report::external_id>},
    field<report>{"metadata/start_time_unix_secs", time<&report::started_at>},
    field<report>{"metadata/accepted_time_unix_secs", time<&report::started_at>},
    field<report>{"start_time_unix_secs", time<&report::started_at>},  // in lists
    field<report>{"metadata/call_duration_secs", seconds<&report::duration>},
    field<report>{"call_duration_secs", seconds<&report::duration>},
    field<report>{"metadata/termination_reason", text<&report::ended_reason>},
    field<report>{"metadata/error/reason", text<&report::ended_reason>},
    field<report>{"metadata/error/reason", text<&report::error>},
    field<report>{"metadata/phone_call/direction", text<&report::direction>},
    field<report>{"direction", text<&report::direction>},
    field<report>{"metadata/phone_call/external_number", text<&report::customer>},
    field<report>{"user_id", text<&report::customer>},
    field<report>{"metadata/phone_call/agent_number", text<&report::own_number>},
    field<report>{"agent_id", text<&report::agent_id>},
    field<report>{"agent_name", text<&report::agent_name>},
    field<report>{"version_id", text<&report::agent_version>},
    field<report>{"analysis/data_collection_results/sentiment/value", sentiment},
};

// What the services of a turn are called there, and the part of the latency that they are.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> services = {
    {{"convai_asr_trailing_service_latency", "transcriber"},
     {"convai_llm_service_ttfb", "model"},
     {"convai_tts_service_ttfb", "voice"},
     {"convai_llm_service_ttf_sentence", "sentence"}}};

void read_metrics(turn& said, const json::value& element) {
  for (const std::string_view holder :
       {"conversation_turn_metrics/metrics", "conversation_turn_metrics"}) {
    const auto metrics = at(element, holder);
    if (!metrics || !metrics->is(json::kind::object)) continue;
    for (const auto& [service, part] : services)
      add_latency(said, *metrics, std::string(service) + "/elapsed_time", part, 3);
    if (!said.latency.empty()) return;
  }
}

void read_call(report& into, const json::value& call, std::optional<length> now) {
  action& made = action_of(into, text_at(call, "request_id"));
  made.name = text_at(call, "tool_name");
  made.begin = now;
  if (const auto arguments = at(call, "params_as_json"))
    made.arguments = read_json(*arguments, into);
}

void read_result(report& into, const json::value& result) {
  action& made = action_of(into, text_at(result, "request_id"));
  if (made.name.empty()) made.name = text_at(result, "tool_name");
  if (const auto value = at(result, "result_value")) made.result = read_json(*value, into);
  if (const auto wrong = at(result, "is_error")) made.ok = !read_truth(*wrong);
  if (const auto latency = at(result, "tool_latency_secs")) made.took = read_length(*latency, 3);
  const std::string system = folded(text_at(result, "result/result_type"));
  if (system == "voicemail-detection-success") into.outcome = "voicemail";
  if (matches("transfer-to-number-*-success", system) && into.outcome.empty())
    into.outcome = "transferred";
}

void read_turn(report& into, const json::value& element) {
  turn said;
  read_role(into, said, element, "role");
  if (const auto when = at(element, "time_in_call_secs")) said.begin = read_length(*when, 3);
  if (const auto interrupted = at(element, "interrupted"))
    said.interrupted = read_truth(*interrupted);
  if (const auto message = at(element, "message")) said.message = read_message(*message);
  read_metrics(said, element);
  for (const json::value& call : elements_at(element, "tool_calls"))
    read_call(into, call, said.begin);
  for (const json::value& result : elements_at(element, "tool_results")) read_result(into, result);
  add_turn(into, std::move(said));
}

void ignore(report& into, std::string reason) {
  into.what = disposition::ignored;
  into.reason = std::move(reason);
}

/// A call that nobody took: the event has no times but its own.
void read_failure(report& into, const json::value& data) {
  // No conversation, so no duration either: start and end are the moment of the event.
  into.started_at = into.ended_at = into.noticed_at;
  into.ended_reason = text_at(data, "failure_reason");
  const std::string reason = folded(into.ended_reason);
  into.status = "failed";
  into.outcome = reason == "busy" || reason == "no-answer" ? "no_answer" : "failed";
}

void read_analysis(report& into, const json::value& data) {
  const auto successful = first_at(data, {"analysis/call_successful", "call_successful"});
  const std::string verdict = successful ? folded(read_text(*successful)) : std::string();
  if (verdict == "success") judge(into, true);
  if (verdict == "failure") judge(into, false);
  if (const auto summary = first_at(data, {"analysis/transcript_summary", "transcript_summary"}))
    into.insights.push_back({"summary", read_message(*summary), "ElevenLabs' summary of the call"});
  keep(into, data, "analysis/evaluation_criteria_results", "evaluationCriteria");
  keep(into, data, "analysis/data_collection_results", "dataCollection");
  keep(into, data, "metadata/cost", "credits");
}

void read(report& into, const json::value& payload) {
  const auto type = at(payload, "type");
  const json::value data = at(payload, "data").value_or(payload);
  if (const auto when = at(payload, "event_timestamp"))
    into.clock = into.noticed_at = read_moment(*when);
  if (type && says(payload, "type", "post-call-audio"))
    return ignore(into, "an event of sound alone is no report of a call");
  fill(into, data, std::span<const field<report>>(fields));
  if (says(payload, "type", "call-initiation-failure")) return read_failure(into, data);
  if (type && !says(payload, "type", "post-call-transcription"))
    return ignore(into, "an event \"" + read_text(*type) + "\" is no report of a call");
  if (!says(data, "status", "done") && !says(data, "status", "failed") && at(data, "status"))
    return ignore(into, "the conversation is not done");

  into.times = precision::seconds;
  for (const json::value& element : elements_at(data, "transcript")) read_turn(into, element);
  into.status = "completed";
  if (says(data, "status", "failed") || at(data, "metadata/error")) {
    into.status = "failed";
    into.outcome = "failed";
  }
  read_analysis(into, data);
}

bool is_mine(const json::value& payload) {
  if (has(payload, "type") &&
      (at(payload, "data/conversation_id") || at(payload, "event_timestamp")))
    return true;
  if (has(payload, "conversation_id"))
    return has(payload, "transcript") || has(payload, "agent_id");
  // The SDK for JavaScript hands out conversationId, which others have as well.
  return has(payload, "conversationId") &&
         (has(payload, "metadata/startTimeUnixSecs") || has(payload, "startTimeUnixSecs"));
}

}  // namespace

constexpr adapter elevenlabs_adapter{
    is_mine, "/type with /data/conversation_id, or /conversation_id with /transcript", read,
    "metadata/start_time_unix_secs"};

}  // namespace vrm::imports
