// Writes what a call report says of a call as the document that is kept of it.
#include <algorithm>
#include <array>

#include "core/calls/clock.h"
#include "core/calls/imports.h"
#include "core/calls/imports_values.h"

namespace vrm::imports {
namespace {

/// A JSON object that grows member by member.
/// An inner one has to end before the outer one goes on.
class object {
 public:
  explicit object(std::string& out) : out_(&out) { *out_ += '{'; }
  ~object() { *out_ += '}'; }
  object(const object&) = delete;
  object& operator=(const object&) = delete;

  /// Where the value belongs, which has to be written before anything else.
  std::string& name(std::string_view name) {
    if (!first_) *out_ += ',';
    first_ = false;
    json::append_quoted(*out_, name);
    return *out_ += ':';
  }
  void text(std::string_view name_of_it, std::string_view value) {
    if (!value.empty()) json::append_quoted(name(name_of_it), value);
  }
  void number(std::string_view name_of_it, std::optional<std::int64_t> value) {
    if (value) name(name_of_it) += std::to_string(*value);
  }
  /// `value` is JSON already.
  void raw(std::string_view name_of_it, std::string_view value) {
    if (!value.empty()) name(name_of_it) += value;
  }
  void truth(std::string_view name_of_it, bool value) {
    name(name_of_it) += value ? "true" : "false";
  }

 private:
  std::string* out_;
  bool first_ = true;
};

void append_turn(std::string& out, const turn& said, length& now) {
  // Without a time of its own, a turn is written at that of the one before.
  now = said.begin.value_or(now);
  object members(out);
  members.text("speaker", said.speaker);
  json::append_quoted(members.name("message"), said.message);
  members.text("time", clock_text(std::max<length>(now, 0), 2).view());
  members.number("ms", said.begin);
  members.number("endMs", said.end);
  members.text("role", name_of(said.role));
  if (said.interrupted) members.truth("interrupted", true);
  members.text("sentiment", said.sentiment);
  if (said.latency.empty()) return;
  object parts(members.name("latency"));
  for (const auto& [part, time] : said.latency) parts.number(part, time);
}

std::string_view status_of(const action& made) {
  if (!made.status.empty()) return made.status;
  if (!made.ok) return "unknown";
  return *made.ok ? "success" : "failure";
}

void append_action(std::string& out, const action& made, length& now) {
  now = made.begin.value_or(now);
  object members(out);
  members.text("action", made.name.empty() ? "tool" : std::string_view(made.name));
  members.text("time", clock_text(std::max<length>(now, 0), 2).view());
  members.text("status", status_of(made));
  members.raw("arguments", made.arguments);
  members.raw("result", made.result);
  if (made.ok) members.truth("ok", *made.ok);
  members.number("ms", made.begin);
  members.number("took", made.took);
}

void append_insight(std::string& out, const insight& found) {
  object members(out);
  const auto all = std::array{std::pair{"type", &found.type}, std::pair{"value", &found.value},
                              std::pair{"description", &found.description}};
  for (const auto& [name, text] : all) json::append_quoted(members.name(name), *text);
}

template <typename Elements, typename Append>
void append_list(object& members, std::string_view name, const Elements& elements, bool whole,
                 Append append) {
  if (elements.empty() && !whole) return;
  std::string& out = members.name(name);
  out += '[';
  bool first = true;
  for (const auto& element : elements) {
    if (!std::exchange(first, false)) out += ',';
    append(out, element);
  }
  out += ']';
}

void append_lists(object& members, const report& read, bool whole) {
  length now = 0;
  append_list(members, "transcript", read.turns, whole,
              [&](std::string& out, const turn& said) { append_turn(out, said, now); });
  if (!read.turns.empty() && read.times == precision::seconds) members.text("precision", "seconds");
  if (!read.turns.empty() && read.redacted) members.truth("redacted", true);
  // Actions are timed by themselves: the last turn says nothing of when the first one was.
  now = 0;
  append_list(members, "actionsTaken", read.actions, whole,
              [&](std::string& out, const action& made) { append_action(out, made, now); });
  if (!read.actions.empty() || whole)
    members.number("actions", static_cast<std::int64_t>(read.actions.size()));
  append_list(members, "insights", read.insights, whole, append_insight);
}

void append_agent(object& members, const report& read) {
  if (read.agent_id.empty() && read.agent_name.empty() && read.own_number.empty()) return;
  object agent(members.name("agent"));
  agent.text("id", read.agent_id);
  agent.text("name", read.agent_name);
  agent.text("number", read.own_number);
  agent.text("version", read.agent_version);
}

}  // namespace

std::string results_of(const report& read, bool whole) {
  std::string out;
  {
    object members(out);
    members.text("customer", read.customer);
    if (read.duration) {
      members.text("duration", clock_text(*read.duration, 1).view());
    } else if (read.started_at && read.ended_at) {
      members.text("duration", clock_text(*read.ended_at - *read.started_at, 1).view());
    }
    members.text("sentiment", read.sentiment);
    append_agent(members, read);
    append_lists(members, read, whole);
    if (!read.vendor.empty()) {
      object vendor(members.name("vendor"));
      for (const auto& [name, text] : read.vendor) vendor.raw(name, text);
    }
  }
  return out;
}

}  // namespace vrm::imports
