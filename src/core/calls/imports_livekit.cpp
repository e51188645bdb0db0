// LiveKit Agents: session reports as SessionReport.to_dict() makes them.
//
// Source: livekit/agents 1.7.0, voice/report.py, llm/chat_context.py, voice/events.py.  A report
// names no start, no customer and no cost, unless the application adds them.
#include <algorithm>
#include <array>

#include "core/calls/imports_fields.h"
#include "core/calls/imports_values.h"

namespace vrm::imports {
namespace {

constexpr std::array fields = {
    field<report>{"job_id", text<&report::external_id>},
    field<report>{"started_at", time<&report::started_at>},
    field<report>{"duration", seconds<&report::duration>},
    field<report>{"timestamp", time<&report::noticed_at>},
    field<report>{"timestamp", time<&report::clock>},
    field<report>{"agent_name", text<&report::agent_name>},
    field<report>{"room", text<&report::own_number>},
    field<report>{"customer", text<&report::customer>},
    field<report>{"direction", text<&report::direction>},
};

// Parts of the latency of a turn; in seconds there.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> latencies = {
    {{"metrics/transcription_delay", "transcriber"},
     {"metrics/end_of_turn_delay", "endpointing"},
     {"metrics/llm_node_ttft", "model"},
     {"metrics/tts_node_ttfb", "voice"},
     {"metrics/e2e_latency", "answer"}}};

std::optional<moment> moment_at(const json::value& holder,
                                std::initializer_list<std::string_view> paths) {
  const auto found = first_at(holder, paths);
  if (!found) return std::nullopt;
  return read_moment(*found);
}

/// The earliest moment that the report knows of.
std::optional<moment> earliest(const json::value& payload) {
  std::optional<moment> first = moment_at(payload, {"audio_recording_started_at"});
  const auto look_at = [&](std::optional<moment> found) {
    if (found && (!first || *found < *first)) first = found;
  };
  for (const json::value& event : elements_at(payload, "events"))
    look_at(moment_at(event, {"created_at"}));
  for (const json::value& item : elements_at(payload, "chat_history/items"))
    look_at(moment_at(item, {"metrics/started_speaking_at", "created_at"}));
  return first;
}

/// content is a list of texts and of objects, which say nothing to us.
std::string content_of(const json::value& item) {
  std::string text;
  const auto content = at(item, "content");
  if (content && content->is(json::kind::string)) return read_message(*content);
  for (const json::value& part : elements_at(item, "content")) {
    if (!part.is(json::kind::string)) continue;
    if (!text.empty()) text += '\n';
    text += read_message(part);
  }
  return text;
}

class session {
 public:
  session(report& into, const json::value& payload) : into_(&into), payload_(&payload) {}

  void read() {
    for (const json::value& item : elements_at(*payload_, "chat_history/items")) {
      if (says(item, "type", "message")) read_message_item(item);
      if (says(item, "type", "function-call")) read_call(item);
      if (says(item, "type", "function-call-output")) read_output(item);
    }
  }

 private:
  [[nodiscard]] std::optional<length> since_start(std::optional<moment> when) const {
    // Before the start is known no turn has a time.
    if (!when || !into_->started_at) return std::nullopt;
    return std::max<length>(0, *when - *into_->started_at);
  }

  void read_message_item(const json::value& item) {
    turn said;
    read_role(*into_, said, item, "role");
    said.message = content_of(item);
    if (const auto interrupted = at(item, "interrupted"))
      said.interrupted = read_truth(*interrupted);
    said.begin = since_start(moment_at(item, {"metrics/started_speaking_at", "created_at"}));
    // From created_at, which is when the item was made, no length of speech can be told.
    if (at(item, "metrics/started_speaking_at"))
      said.end = since_start(moment_at(item, {"metrics/stopped_speaking_at"}));
    for (const auto& [path, part] : latencies) add_latency(said, item, path, part, 3);
    add_turn(*into_, std::move(said));
  }

  void read_call(const json::value& item) {
    action& made = action_of(*into_, text_at(item, "call_id"));
    made.name = text_at(item, "name");
    made.begin = since_start(moment_at(item, {"created_at"}));
    if (const auto arguments = first_at(item, {"arguments", "args"}))
      made.arguments = read_json(*arguments, *into_);
  }

  void read_output(const json::value& item) {
    action& made = action_of(*into_, text_at(item, "call_id"));
    if (made.name.empty()) made.name = text_at(item, "name");
    if (const auto output = at(item, "output")) made.result = read_json(*output, *into_);
    if (const auto wrong = at(item, "is_error")) made.ok = !read_truth(*wrong);
    const auto done = since_start(moment_at(item, {"created_at"}));
    // How long the tool took is nowhere said: it is the time between the two items.
    if (made.begin && done && *done >= *made.begin) made.took = *done - *made.begin;
  }

  report* into_;
  const json::value* payload_;
};

void read_end(report& into, const json::value& payload) {
  into.status = "completed";
  for (const json::value& event : elements_at(payload, "events")) {
    if (!says(event, "type", "close")) continue;
    into.ended_at = moment_at(event, {"created_at"});
    into.ended_reason = text_at(event, "reason");
    if (const auto error = at(event, "error"); error && error->is(json::kind::string))
      into.error = read_text(*error);
  }
  const std::string reason = folded(into.ended_reason);
  if (reason == "error") into.status = into.outcome = "failed";
  if (reason == "participant-disconnected" && !customer_spoke(into)) into.outcome = "abandoned";
}

void read(report& into, const json::value& payload) {
  fill(into, payload, std::span<const field<report>>(fields));
  if (!into.started_at) into.started_at = earliest(payload);
  session(into, payload).read();
  read_end(into, payload);
  // A report is made when the session is over.
  if (!into.ended_at && !into.duration) into.ended_at = into.noticed_at;
  keep(into, payload, "usage", "usage");
}

bool is_mine(const json::value& payload) {
  return at(payload, "job_id") && (at(payload, "chat_history") || at(payload, "room_id"));
}

}  // namespace

constexpr adapter livekit_adapter{is_mine, "/job_id with /room_id and /chat_history", read,
                                  "timestamp"};

}  // namespace vrm::imports
