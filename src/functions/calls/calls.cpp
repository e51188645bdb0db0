// What the results of a call say of it: duration, customer, sentiment, actions and, from the
// transcript, who spoke how much.
#include "functions/calls/calls.h"

#include "boundary/call/function.h"
#include "boundary/value/jsonb.h"
#include "boundary/value/record.h"
#include "core/calls/shapes.h"

namespace vrm::sql {
namespace {

constexpr std::int64_t milliseconds = 1000;  ///< in a second

/// From a value of the document; nothing when it does not fit.
template <typename T>
using reader = std::optional<T> (*)(const pg::jsonb_value&);

std::optional<std::int64_t> duration_of(const pg::jsonb_value& value) {
  if (value.kind() != pg::jsonb_kind::string) return std::nullopt;
  const auto seconds = duration_seconds(value.text());
  if (!seconds) return std::nullopt;
  return *seconds * milliseconds;
}

std::optional<std::int32_t> actions_of(const pg::jsonb_value& value) {
  if (value.kind() != pg::jsonb_kind::number) return std::nullopt;
  const auto number = value.whole_number();
  if (!number || *number < 0 || *number > PG_INT32_MAX) return std::nullopt;
  return static_cast<std::int32_t>(*number);
}

std::optional<std::string_view> customer_of(const pg::jsonb_value& value) {
  if (value.kind() != pg::jsonb_kind::string) return std::nullopt;
  return value.text();
}

std::optional<call_sentiment> sentiment_of(const pg::jsonb_value& value) {
  if (value.kind() != pg::jsonb_kind::string) return std::nullopt;
  const call_sentiment sentiment = call_sentiment_of(value.text());
  if (sentiment == call_sentiment::none) return std::nullopt;
  return sentiment;
}

/// One member of the results, or nothing when it is missing or does not fit.
template <typename T>
std::optional<T> member(pg::jsonb_head& results, std::string_view name, reader<T> read) {
  const auto found = results.find(std::array{name});
  if (!found) return std::nullopt;
  const auto& value = found->front();
  return value ? read(*value) : std::nullopt;
}

/// How long a call took by the clock, in ms; nothing when that makes no sense.
std::optional<std::int64_t> elapsed(std::optional<pg::timestamp> started,
                                    std::optional<pg::timestamp> completed) {
  if (!started || !completed) return std::nullopt;
  if (*started == pg::timestamp::min() || *completed == pg::timestamp::max()) return std::nullopt;
  std::int64_t microseconds = 0;
  if (__builtin_sub_overflow(completed->time_since_epoch().count(),
                             started->time_since_epoch().count(), &microseconds)) {
    return std::nullopt;
  }
  const std::int64_t duration = microseconds / 1000;
  if (microseconds < 0 || duration > duration_histogram::longest) return std::nullopt;
  return duration;
}

void read_results(pg::jsonb_head results, call& one) {
  static constexpr std::array<std::string_view, 4> names = {"actions", "customer", "duration",
                                                            "sentiment"};
  const auto found = results.find(names);
  if (!found) {
    one.bad = true;
    return;
  }
  const auto take = [&](std::size_t index, auto read) -> decltype(read(pg::jsonb_value({}))) {
    const auto& value = (*found)[index];
    if (!value) return std::nullopt;
    auto taken = read(*value);
    one.bad |= !taken.has_value();
    return taken;
  };
  one.actions = take(0, actions_of);
  if (const auto customer = take(1, customer_of)) one.customer = stable_hash(*customer);
  one.duration = take(2, duration_of);
  one.sentiment = take(3, sentiment_of).value_or(call_sentiment::none);
}

}  // namespace

call read_call(std::string_view status, std::optional<pg::timestamp> started,
               std::optional<pg::timestamp> completed, std::optional<pg::jsonb_head> results) {
  call one{.status = call_status_of(status)};
  if (results) read_results(*results, one);
  if (!one.duration) one.duration = elapsed(started, completed);
  return one;
}

std::optional<std::chrono::microseconds> call_duration(pg::jsonb_head results) {
  const auto duration = member(results, "duration", duration_of);
  if (!duration) return std::nullopt;
  return std::chrono::milliseconds(*duration);
}

std::optional<std::string_view> call_customer(pg::jsonb_head results) {
  return member(results, "customer", customer_of);
}

std::optional<std::string_view> call_sentiment_text(pg::jsonb_head results) {
  const auto read = [](const pg::jsonb_value& value) {
    return sentiment_of(value) ? std::optional(value.text()) : std::nullopt;
  };
  return member<std::string_view>(results, "sentiment", read);
}

std::optional<std::int32_t> call_actions(pg::jsonb_head results) {
  return member(results, "actions", actions_of);
}

std::int64_t customer_hash(std::string_view customer) {
  return static_cast<std::int64_t>(stable_hash(customer));
}

// --- transcripts --------------------------------------------------------------------------------

namespace {

struct turn {
  bool agent = false;
  std::int32_t words = 0;
  std::optional<std::int64_t> at;  ///< ms
};

std::int32_t count_words(std::string_view text) noexcept {
  std::int32_t words = 0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    words += static_cast<std::int32_t>(!space && !inside);
    inside = !space;
  }
  return words;
}

turn read_turn(const pg::jsonb_object& members) {
  turn read;
  for (const auto& [name, value] : members) {
    if (value.kind() != pg::jsonb_kind::string) continue;
    if (name == "speaker") read.agent = value.text() == "Agent";
    if (name == "message") read.words = count_words(value.text());
    if (name == "time") read.at = duration_of(value);
  }
  return read;
}

/// The array that is a document's member `name`; nothing else.
std::optional<pg::jsonb_array> array_in(const pg::jsonb_value& document, std::string_view name) {
  if (document.kind() != pg::jsonb_kind::object) return std::nullopt;
  for (const auto& [found, value] : document.members()) {
    if (found == name && value.kind() == pg::jsonb_kind::array) return value.elements();
  }
  return std::nullopt;
}

using share = std::optional<double>;

share share_of(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

share action_success(const pg::jsonb_value& document) {
  const auto actions = array_in(document, "actionsTaken");
  std::int64_t all = 0;
  std::int64_t good = 0;
  if (!actions) return std::nullopt;
  for (const pg::jsonb_value action : *actions) {
    if (action.kind() != pg::jsonb_kind::object) continue;
    for (const auto& [name, value] : action.members()) {
      if (name != "status" || value.kind() != pg::jsonb_kind::string) continue;
      ++all;
      good += static_cast<std::int64_t>(value.text() == "success");
    }
  }
  return share_of(good, all);
}

}  // namespace

using transcript_row = pg::record<std::int32_t, std::int32_t, std::int32_t, std::int32_t, share,
                                  std::optional<std::chrono::microseconds>, share>;

/// A turn lasts until the next one begins; times that go backwards count for nothing.
transcript_row transcript_stats(pg::jsonb results) {
  std::int32_t turns = 0;
  std::int32_t agent_turns = 0;
  std::int32_t agent_words = 0;
  std::int32_t other_words = 0;
  std::int64_t agent_time = 0;
  std::int64_t other_time = 0;
  std::optional<std::int64_t> longest_gap;
  turn before;
  if (const auto transcript = array_in(results.root(), "transcript")) {
    for (const pg::jsonb_value element : *transcript) {
      pg::check_for_interrupts();
      if (element.kind() != pg::jsonb_kind::object) continue;
      const turn now = read_turn(element.members());
      ++turns;
      agent_turns += static_cast<std::int32_t>(now.agent);
      (now.agent ? agent_words : other_words) += now.words;
      if (before.at && now.at && *now.at >= *before.at) {
        const std::int64_t gap = *now.at - *before.at;
        (before.agent ? agent_time : other_time) += gap;
        longest_gap = std::max(longest_gap.value_or(0), gap);
      }
      before = now;
    }
  }
  std::optional<std::chrono::microseconds> gap;
  if (longest_gap) gap = std::chrono::milliseconds(*longest_gap);
  return {turns,
          agent_turns,
          agent_words,
          other_words,
          share_of(agent_time, agent_time + other_time),
          gap,
          action_success(results.root())};
}

}  // namespace vrm::sql

PG_EXPORT(vrm_call_duration, vrm::sql::call_duration);
PG_EXPORT(vrm_call_customer, vrm::sql::call_customer);
PG_EXPORT(vrm_call_sentiment, vrm::sql::call_sentiment_text);
PG_EXPORT(vrm_call_actions, vrm::sql::call_actions);
PG_EXPORT(vrm_customer_hash, vrm::sql::customer_hash);
PG_EXPORT(vrm_transcript_stats, vrm::sql::transcript_stats);
