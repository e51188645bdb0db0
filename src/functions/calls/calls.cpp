// What the results of a call say of it: duration, customer, sentiment, actions.
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
  // In jsonb's order, in which jsonb_head looks for them.
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

/// The same bits as a bigint, since SQL has no unsigned numbers.
std::int64_t customer_hash(std::string_view customer) {
  return static_cast<std::int64_t>(stable_hash(customer));
}

}  // namespace vrm::sql

PG_EXPORT(vrm_call_duration, vrm::sql::call_duration);
PG_EXPORT(vrm_call_customer, vrm::sql::call_customer);
PG_EXPORT(vrm_call_sentiment, vrm::sql::call_sentiment_text);
PG_EXPORT(vrm_call_actions, vrm::sql::call_actions);
PG_EXPORT(vrm_customer_hash, vrm::sql::customer_hash);
