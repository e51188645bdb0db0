// The documents that the platform stores: what agents.connection_details and test_runs.results
// hold, and the words in which a document is refused.
#include "core/calls/shapes.h"

#include <algorithm>
#include <array>

#include "core/calls/currencies.h"

namespace vrm {
namespace {

using enum shape::kind;

consteval member optional(std::string_view name, const shape& value) {
  return {.name = name, .value = &value, .required = false, .unless = {}};
}

consteval member required(std::string_view name, const shape& value) {
  return {.name = name, .value = &value, .required = true, .unless = {}};
}

consteval member required_unless(std::string_view other, std::string_view name,
                                 const shape& value) {
  return {.name = name, .value = &value, .required = true, .unless = other};
}

/// Documents are walked in jsonb's order: with shapes in the same order one pass compares them.
template <std::size_t Size>
consteval std::array<member, Size> in_order(const member (&members)[Size]) {
  std::array<member, Size> ordered{};
  std::copy(std::begin(members), std::end(members), ordered.begin());
  std::sort(ordered.begin(), ordered.end(), [](const member& left, const member& right) {
    return precedes(left.name, right.name);
  });
  return ordered;
}

bool is_duration(std::string_view text) { return duration_seconds(text).has_value(); }

bool is_sentiment(std::string_view text) {
  return text == "positive" || text == "neutral" || text == "negative";
}

bool is_direction(std::string_view text) { return text == "inbound" || text == "outbound"; }

constexpr shape any_string{};
constexpr shape any{.type = anything};
constexpr shape flag{.type = boolean};
constexpr shape short_string{.most = 200};
constexpr shape long_string{.most = 1000};
constexpr shape milliseconds{.type = whole_number, .most = 2'147'483'647};

// --- connection_details -------------------------------------------------------------------------

constexpr shape voice{.most = 200};
constexpr shape prompt{.most = 20'000};

constexpr auto connection_members = in_order({
    optional("voice", voice),
    optional("systemPrompt", prompt),
    optional("introPrompt", prompt),
    optional("fallbackPrompt", prompt),
});

// --- results ------------------------------------------------------------------------------------

constexpr shape duration{.accepts = is_duration,
                         .accepted = R"(a duration such as "2:45" or "1:02:45")"};
constexpr shape sentiment{.accepts = is_sentiment,
                          .accepted = R"("positive", "neutral" or "negative")"};
// What is counted here is read as integer later.
constexpr shape count{.type = whole_number, .most = 2'147'483'647};
constexpr shape message{.type = string_or_null, .most = 100'000};
constexpr shape latency_part{.type = number, .most = 2'147'483'647};
constexpr shape latency{.type = object, .element = &latency_part};

constexpr auto turn_members = in_order({
    required_unless("role", "speaker", any_string),
    required("message", message),
    required_unless("ms", "time", any_string),
    optional("ms", milliseconds),
    optional("endMs", milliseconds),
    optional("role", short_string),
    optional("interrupted", flag),
    optional("latency", latency),
});
constexpr shape turn{.type = object, .members = turn_members};
constexpr shape transcript{.type = array, .element = &turn};

constexpr auto action_members = in_order({
    required("action", any_string),
    required_unless("ms", "time", any_string),
    required_unless("ok", "status", any_string),
    optional("ms", milliseconds),
    optional("arguments", any),
    optional("result", any),
    optional("ok", flag),
    optional("took", milliseconds),
});
constexpr shape action{.type = object, .members = action_members};
constexpr shape actions_taken{.type = array, .element = &action};

constexpr auto insight_members = in_order({
    required("type", any_string),
    required("value", any_string),
    required("description", any_string),
});
constexpr shape insight{.type = object, .members = insight_members};
constexpr shape insights{.type = array, .element = &insight};

constexpr shape direction{.accepts = is_direction, .accepted = R"("inbound" or "outbound")"};
constexpr shape cost{.type = number, .most = 999'999'999'999};
constexpr shape currency{.accepts = is_currency, .accepted = R"(a code of ISO 4217 such as "USD")"};

// A failed call may lack any of them.
// Of what is not listed anything goes: documents keep what their sources know besides.
constexpr auto results_members = in_order({
    optional("customer", any_string),
    optional("duration", duration),
    optional("sentiment", sentiment),
    optional("actions", count),
    optional("transcript", transcript),
    optional("actionsTaken", actions_taken),
    optional("insights", insights),
    optional("source", short_string),
    optional("externalId", long_string),
    optional("direction", direction),
    optional("outcome", short_string),
    optional("endedReason", long_string),
    optional("cost", cost),
    optional("currency", currency),
    optional("metrics", any),
    optional("summary", any),
    optional("analysis", any),
});

// One element of what vrm.append_turns() takes.
constexpr auto new_turn_members = in_order({
    required_unless("role", "speaker", short_string),
    required("message", message),
    optional("ms", milliseconds),
    optional("endMs", milliseconds),
    optional("role", short_string),
    optional("interrupted", flag),
    optional("latency", latency),
});
constexpr shape new_turn{.type = object, .members = new_turn_members};

/// Reads digits up to the end of `text` or a colon, which it takes too.
/// `most` is small enough for the number not to overflow.
std::optional<std::int64_t> next_field(std::string_view& text, std::size_t fewest,
                                       std::size_t most) noexcept {
  const std::size_t size = std::min(text.find(':'), text.size());
  if (size < fewest || size > most) return std::nullopt;
  std::int64_t value = 0;
  for (const char digit : text.substr(0, size)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = (value * 10) + (digit - '0');
  }
  text.remove_prefix(std::min(size + 1, text.size()));
  return value;
}

}  // namespace

constexpr shape connection_details_shape{.type = object, .members = connection_members};
constexpr shape results_shape{.type = object, .members = results_members};
constexpr shape new_turns_shape{.type = array, .element = &new_turn};

std::string json_pointer(const place& where) {
  if (where.parent == nullptr) return {};
  std::string pointer = json_pointer(*where.parent).append("/");
  if (where.named == nullptr) return pointer.append(std::to_string(where.index));
  for (const char c : where.named->name) {
    // RFC 6901 (3): these two have a meaning in pointers.
    if (c == '~') {
      pointer.append("~0");
    } else if (c == '/') {
      pointer.append("~1");
    } else {
      pointer.push_back(c);
    }
  }
  return pointer;
}

std::string expectation(const shape& expected) {
  const std::string most = std::to_string(expected.most);
  switch (expected.type) {
    case array:
      return "must be an array";
    case object:
      return "must be an object";
    case whole_number:
      return "must be a whole number from 0 to " + most;
    case number:
      return "must be a number from 0 to " + most;
    case boolean:
      return "must be true or false";
    case string:
    case string_or_null:
    case anything:
      break;
  }
  if (expected.accepts != nullptr) return std::string("must be ").append(expected.accepted);
  if (expected.most == shape{}.most) return "must be a string";
  return "must be a string of at most " + most + " characters";
}

std::optional<std::int64_t> duration_seconds(std::string_view text) noexcept {
  const auto colons = std::ranges::count(text, ':');
  // A colon at the end would otherwise be taken off along with the seconds.
  if (colons < 1 || colons > 2 || text.ends_with(':')) return std::nullopt;
  std::optional<std::int64_t> hours = 0;
  if (colons == 2) hours = next_field(text, 1, 4);
  // Without hours the minutes may be more than an hour's.
  const auto minutes = next_field(text, colons == 2 ? 2 : 1, colons == 2 ? 2 : 4);
  const auto seconds = next_field(text, 2, 2);
  if (!hours || !minutes || !seconds || *seconds > 59) return std::nullopt;
  if (colons == 2 && *minutes > 59) return std::nullopt;
  return (*hours * 3600) + (*minutes * 60) + *seconds;
}

}  // namespace vrm
