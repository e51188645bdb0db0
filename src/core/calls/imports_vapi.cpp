// Vapi: end-of-call reports of its webhook, and Call objects of its API.
//
// Source: types of VapiAI/server-sdk-typescript 2.0.0 and Vapi's pages on server events and call
// ended reasons.  One message counts time in three units: epoch ms, seconds from the start, and
// a duration in ms that is documented as seconds and therefore is not read.
#include <array>

#include "core/calls/imports_fields.h"
#include "core/calls/imports_values.h"

namespace vrm::imports {
namespace {

// What the webhook has below /message, and there in part below /message/call, an object has here.
constexpr std::array fields = {
    field<report>{"call/id", text<&report::external_id>},
    field<report>{"id", text<&report::external_id>},
    field<report>{"startedAt", time<&report::started_at>},
    field<report>{"call/startedAt", time<&report::started_at>},
    field<report>{"endedAt", time<&report::ended_at>},
    field<report>{"call/endedAt", time<&report::ended_at>},
    field<report>{"call/createdAt", time<&report::noticed_at>},
    field<report>{"createdAt", time<&report::noticed_at>},
    field<report>{"timestamp", time<&report::noticed_at>},
    field<report>{"timestamp", time<&report::clock>},
    field<report>{"updatedAt", time<&report::clock>},
    field<report>{"call/updatedAt", time<&report::clock>},
    field<report>{"durationMs", milliseconds<&report::duration>},
    field<report>{"durationSeconds", seconds<&report::duration>},
    field<report>{"endedReason", text<&report::ended_reason>},
    field<report>{"call/endedReason", text<&report::ended_reason>},
    field<report>{"customer/number", text<&report::customer>},
    field<report>{"call/customer/number", text<&report::customer>},
    field<report>{"customer/sipUri", text<&report::customer>},
    field<report>{"call/customer/sipUri", text<&report::customer>},
    field<report>{"customer/externalId", text<&report::customer>},
    field<report>{"call/customer/externalId", text<&report::customer>},
    field<report>{"customer/email", text<&report::customer>},
    field<report>{"call/customer/email", text<&report::customer>},
    field<report>{"customer/name", text<&report::customer>},
    field<report>{"call/customer/name", text<&report::customer>},
    field<report>{"call/assistantId", text<&report::agent_id>},
    field<report>{"assistantId", text<&report::agent_id>},
    field<report>{"assistant/id", text<&report::agent_id>},
    field<report>{"call/squadId", text<&report::agent_id>},
    field<report>{"squadId", text<&report::agent_id>},
    field<report>{"call/workflowId", text<&report::agent_id>},
    field<report>{"workflowId", text<&report::agent_id>},
    field<report>{"assistant/name", text<&report::agent_name>},
    field<report>{"phoneNumber/number", text<&report::own_number>},
    field<report>{"call/phoneNumber/number", text<&report::own_number>},
    field<report>{"analysis/structuredData/sentiment", sentiment},
    field<report>{"call/analysis/structuredData/sentiment", sentiment},
};

bool never_began(const report& read) { return !read.started_at; }
bool customer_silent(const report& read) { return !customer_spoke(read); }

// The customer's telephone is looked at before the word "error": a busy line is not an error.
// The first row that fits counts.
constexpr std::array endings = {
    ending{"customer-busy", "failed", "no_answer"},
    ending{"customer-did-not-answer", "failed", "no_answer"},
    ending{"*misdialed*", "failed", "no_answer"},
    ending{"*-sip-408-*", "failed", "no_answer"},
    ending{"*-sip-480-*", "failed", "no_answer"},
    ending{"voicemail", "completed", "voicemail"},
    ending{"assistant-forwarded-call", "completed", "transferred"},
    ending{"*hook-executed-transfer", "completed", "transferred"},
    ending{"*returned-forwarding-phone-number", "completed", "transferred"},
    ending{"customer-did-not-give-microphone-permission", "completed", "abandoned"},
    ending{"*hungup-before-call-connect", "completed", "abandoned"},
    ending{"*error*", "failed", "failed"},
    ending{"*-failed", "failed", "failed"},
    ending{"*fault*", "failed", "failed"},
    ending{"worker-shutdown", "failed", "failed"},
    ending{"pipeline-*", "failed", "failed"},
    ending{"assistant-not-*", "failed", "failed"},
    ending{"assistant-request-*", "failed", "failed"},
    ending{"phone-call-provider-closed-websocket", "failed", "failed"},
    ending{"*-failed-to-connect*", "failed", "failed"},
    ending{"assistant-join-timed-out", "failed", "failed"},
    ending{"manually-canceled", "cancelled", "", never_began},
    ending{"scheduled-call-deleted", "cancelled", "", never_began},
    ending{"silence-timed-out", "completed", "abandoned"},
    ending{"customer-ended-call*", "completed", "abandoned", customer_silent},
    ending{"*", "completed", ""},
};

constexpr std::string_view unended[] = {"scheduled", "queued", "ringing", "in-progress",
                                        "forwarding"};

void read_result(report& into, const json::value& message, const std::string& id) {
  action& made = action_of(into, id);
  const auto result = at(message, "result");
  if (made.name.empty()) made.name = text_at(message, "name");
  if (!result) return;
  made.result = read_json(*result, into);
  // Valid: read_json() has written it.
  const json::document read(made.result);
  if (at(read.root(), "error")) made.ok = false;
}

void read_calls(report& into, const json::value& message, std::optional<length> begin) {
  for (const json::value& call : elements_at(message, "toolCalls")) {
    action& made = action_of(into, text_at(call, "id"));
    made.name = text_at(call, "function/name");
    made.begin = begin;
    if (const auto arguments = at(call, "function/arguments"))
      made.arguments = read_json(*arguments, into);
  }
}

void read_message_of(report& into, const json::value& message) {
  turn said;
  const auto since_start = at(message, "secondsFromStart");
  const auto time = at(message, "time");
  const auto end_time = at(message, "endTime");
  // just before the start, where the clocks differ
  if (since_start && !since_start->text().starts_with('-')) {
    said.begin = read_length(*since_start, 3);
  } else if (since_start) {
    said.begin = 0;
  } else if (time && into.started_at) {
    said.begin = std::max<length>(0, read_moment(*time) - *into.started_at);
  }
  if (const std::string id = text_at(message, "toolCallId"); !id.empty()) {
    const auto called = said.begin;
    read_result(into, message, id);
    action& made = action_of(into, id);
    if (made.begin && called && *called >= *made.begin) made.took = *called - *made.begin;
    return;
  }
  if (at(message, "toolCalls")) return read_calls(into, message, said.begin);
  read_role(into, said, message, "role");
  // The difference of two clock readings, put after a begin that is on the call's own scale.
  if (said.begin && time && end_time)
    said.end = *said.begin + (read_moment(*end_time) - read_moment(*time));
  if (const auto text = at(message, "message")) said.message = read_message(*text);
  add_turn(into, std::move(said));
}

/// The same list may be in up to four places: the first that is not empty is all of it.
void read_messages(report& into, const json::value& base) {
  for (const std::string_view path :
       {"artifact/messages", "messages", "call/artifact/messages", "call/messages"}) {
    const auto messages = elements_at(base, path);
    for (const json::value& message : messages) read_message_of(into, message);
    if (!messages.empty()) return;
  }
}

void read_verdict(report& into, const json::value& base) {
  const auto verdict =
      first_at(base, {"analysis/successEvaluation", "call/analysis/successEvaluation"});
  if (!verdict) return;
  std::string text;
  if (const auto word = verdict->string())
    text = *word;
  else
    json::append(text, *verdict);
  const std::string word = folded(text);
  if (word == "true" || word == "pass" || word == "yes") judge(into, true);
  if (word == "false" || word == "fail" || word == "no") judge(into, false);
  into.insights.push_back({"successEvaluation", text, "Vapi's evaluation of the call"});
}

void read_money(report& into, const json::value& base) {
  const auto cost = first_at(base, {"cost", "call/cost", "costBreakdown/total"});
  if (!cost) return;
  into.cost = read_amount(*cost, 0);
  into.currency = "USD";
}

void read(report& into, const json::value& payload) {
  const auto message = at(payload, "message");
  const json::value base = message.value_or(payload);
  if (message && !says(base, "type", "end-of-call-report")) {
    into.what = disposition::ignored;
    into.reason = "a message of type \"" + text_at(base, "type") + "\" is no report of a call";
    return;
  }
  fill(into, base, std::span<const field<report>>(fields));
  // A webhook of this type is sent after the end; an object of the API may be asked for any time.
  if (!message && !into.ended_at && into.ended_reason.empty()) {
    for (const std::string_view status : unended) {
      if (!says(base, "status", status)) continue;
      into.what = disposition::ignored;
      into.reason = "the call has not ended";
      return;
    }
  }
  for (const std::string_view path : {"call/type", "type"}) {
    if (says(base, path, "inbound-phone-call")) into.direction = "inbound";
    if (says(base, path, "outbound-phone-call")) into.direction = "outbound";
  }
  read_messages(into, base);
  end_by(into, folded(into.ended_reason), endings);
  // Whoever was put through to somebody else is not served to the end, whatever ended the call.
  if (first_at(base, {"destination", "call/destination"}) && into.status == "completed" &&
      into.outcome != "voicemail")
    into.outcome = "transferred";
  read_verdict(into, base);
  if (const auto summary = first_at(base, {"analysis/summary", "call/analysis/summary", "summary"}))
    into.insights.push_back({"summary", read_message(*summary), "Vapi's summary of the call"});
  read_money(into, base);
  keep(into, base, "analysis/structuredData", "structuredData");
  keep(into, base, "call/analysis/structuredData", "structuredData");
  keep(into, base, "artifact/performanceMetrics", "performanceMetrics");
  keep(into, base, "artifact/recording", "recording");
  keep(into, base, "recordingUrl", "recordingUrl");
}

bool is_mine(const json::value& payload) {
  if (has(payload, "message/type")) return true;
  if (!has(payload, "id") || !has(payload, "type")) return false;
  if (has(payload, "orgId")) return true;
  // Its SDK for Python has org_id, as half the world; what Vapi calls a call tells.
  const std::string type = folded(text_at(payload, "type"));
  return has(payload, "org_id") &&
         (matches("*-phone-call", type) || type == "web-call" || type == "vapi-websocket-call");
}

}  // namespace

constexpr adapter vapi_adapter{is_mine, "/message/type, or /id with /orgId and /type", read,
                               "startedAt"};

}  // namespace vrm::imports
