// Retell: call objects, alone or below /call in its webhooks.
//
// Source: types of RetellAI/retell-typescript-sdk 5.60.0 and Retell's pages on webhooks and on
// disconnection reasons.  call_status is stale in webhooks: why the line went dead decides.
#include <array>

#include "core/calls/imports_fields.h"
#include "core/calls/imports_values.h"

namespace vrm::imports {
namespace {

constexpr std::array fields = {
    field<report>{"call_id", text<&report::external_id>},
    field<report>{"start_timestamp", time<&report::started_at>},
    field<report>{"end_timestamp", time<&report::ended_at>},
    field<report>{"duration_ms", milliseconds<&report::duration>},
    field<report>{"disconnection_reason", text<&report::ended_reason>},
    field<report>{"direction", text<&report::direction>},
    field<report>{"agent_id", text<&report::agent_id>},
    field<report>{"agent_name", text<&report::agent_name>},
    field<report>{"agent_version", text<&report::agent_version>},
    field<report>{"call_analysis/user_sentiment", sentiment},
};

bool customer_silent(const report& read) { return !customer_spoke(read); }

// The first row that fits counts: particular words before the patterns that would take them.
constexpr std::array endings = {
    ending{"error-user-not-joined", "failed", "no_answer"},
    ending{"dial-busy", "failed", "no_answer"},
    ending{"dial-no-answer", "failed", "no_answer"},
    ending{"user-declined", "failed", "no_answer"},
    ending{"error-*", "failed", "failed"},
    ending{"concurrency-limit-reached", "failed", "failed"},
    ending{"no-concurrency-fallback", "failed", "failed"},
    ending{"no-valid-payment", "failed", "failed"},
    ending{"scam-detected", "failed", "failed"},
    ending{"telephony-provider-*", "failed", "failed"},
    ending{"sip-routing-error", "failed", "failed"},
    ending{"dial-failed", "failed", "failed"},
    ending{"invalid-destination", "failed", "failed"},
    ending{"marked-as-spam", "failed", "failed"},
    ending{"registered-call-timeout", "failed", "failed"},
    ending{"voicemail-reached", "completed", "voicemail"},
    ending{"ivr-reached", "completed", "voicemail"},
    ending{"call-transfer", "completed", "transferred"},
    ending{"transfer-bridged", "completed", "transferred"},
    ending{"call-take-over", "completed", "transferred"},
    ending{"inactivity", "completed", "abandoned"},
    ending{"user-hangup", "completed", "abandoned", customer_silent},
    ending{"*", "completed", ""},
};

/// When the words of an utterance began and ended, in seconds of audio.
void read_words(turn& said, const json::value& utterance) {
  const auto words = elements_at(utterance, "words");
  if (words.empty()) return;
  if (const auto start = at(words.front(), "start")) said.begin = read_length(*start, 3);
  if (const auto end = at(words.back(), "end")) said.end = read_length(*end, 3);
}

turn utterance_of(report& into, const json::value& utterance) {
  turn said;
  read_role(into, said, utterance, "role");
  if (says(utterance, "role", "transfer-target")) said.speaker = "transfer_target";
  if (const auto content = at(utterance, "content")) said.message = read_message(*content);
  read_words(said, utterance);
  return said;
}

void read_invocation(report& into, const json::value& tool, std::optional<length> now) {
  action& made = action_of(into, text_at(tool, "tool_call_id"));
  made.name = text_at(tool, "name");
  made.begin = now;
  if (const auto arguments = at(tool, "arguments")) made.arguments = read_json(*arguments, into);
}

void read_result(report& into, const json::value& tool) {
  action& made = action_of(into, text_at(tool, "tool_call_id"));
  if (const auto content = at(tool, "content")) made.result = read_json(*content, into);
  if (const auto successful = at(tool, "successful")) made.ok = read_truth(*successful);
}

/// Tools have no time of their own: theirs is the end of what was said before.
/// How long they took is not said either, so only their beginning is kept.
void read_tools(report& into, const json::value& call, bool with_turns) {
  std::optional<length> now;
  for (const json::value& element : elements_at(call, "transcript_with_tool_calls")) {
    if (says(element, "role", "tool-call-invocation")) {
      read_invocation(into, element, now);
    } else if (says(element, "role", "tool-call-result")) {
      read_result(into, element);
    } else if (at(element, "content") && !says(element, "role", "injected") &&
               !says(element, "role", "sms")) {
      turn said;
      read_words(said, element);
      if (said.end) now = said.end;
      // transcript_object has the same utterances: where it is missing, these count.
      if (with_turns) add_turn(into, utterance_of(into, element));
    }
  }
}

void read_analysis(report& into, const json::value& call) {
  const auto in_voicemail = at(call, "call_analysis/in_voicemail");
  if (in_voicemail && read_truth(*in_voicemail) && into.status == "completed")
    into.outcome = "voicemail";
  if (const auto successful = at(call, "call_analysis/call_successful"))
    judge(into, read_truth(*successful));
  if (const auto summary = at(call, "call_analysis/call_summary"))
    into.insights.push_back({"summary", read_message(*summary), "Retell's summary of the call"});
  keep(into, call, "call_analysis/custom_analysis_data", "customAnalysisData");
  keep(into, call, "latency", "latency");
  keep(into, call, "recording_url", "recordingUrl");
  keep(into, call, "transfer_destination", "transferDestination");
}

void ignore(report& into, std::string reason) {
  into.what = disposition::ignored;
  into.reason = std::move(reason);
}

void read(report& into, const json::value& payload) {
  const auto event = at(payload, "event");
  const json::value call = at(payload, "call").value_or(payload);
  if (event && !says(payload, "event", "call-ended") && !says(payload, "event", "call-analyzed"))
    return ignore(into, "an event \"" + read_text(*event) + "\" is no report of a call");
  fill(into, call, std::span<const field<report>>(fields));
  const bool unended =
      says(call, "call_status", "registered") || says(call, "call_status", "ongoing");
  if (!event && unended && !into.ended_at && into.ended_reason.empty())
    return ignore(into, "the call has not ended");
  // The object has no time of its own: the events come in this order, whatever times they tell.
  // call_analyzed, and an object of the API, replace what call_ended said.
  into.clock = says(payload, "event", "call-ended") ? 0 : 1;
  if (into.direction == "inbound") into.customer = text_at(call, "from_number");
  if (into.direction == "outbound") into.customer = text_at(call, "to_number");
  into.own_number = text_at(call, into.direction == "inbound" ? "to_number" : "from_number");

  for (const json::value& utterance : elements_at(call, "transcript_object"))
    add_turn(into, utterance_of(into, utterance));
  read_tools(into, call, into.turns.empty());
  end_by(into, folded(into.ended_reason), endings);
  if (into.ended_reason.empty() &&
      (says(call, "call_status", "error") || says(call, "call_status", "not-connected"))) {
    into.status = "failed";
    into.outcome = says(call, "call_status", "error") ? "failed" : "no_answer";
  }
  if (const auto cost = at(call, "call_cost/combined_cost")) {
    // In cents there, in dollars here.
    into.cost = read_amount(*cost, -2);  // cents
    into.currency = "USD";
  }
  read_analysis(into, call);
}

bool is_mine(const json::value& payload) {
  if (has(payload, "event") && has(payload, "call")) return true;
  return has(payload, "call_id") && has(payload, "call_status");
}

}  // namespace

constexpr adapter retell_adapter{is_mine, "/event with /call, or /call_id with /call_status", read,
                                 "start_timestamp"};

}  // namespace vrm::imports
