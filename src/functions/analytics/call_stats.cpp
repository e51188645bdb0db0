// The type vrm.call_stats, its aggregates and what can be asked of it.
#include "core/analytics/call_stats.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "boundary/value/expanded.h"
#include "boundary/value/record.h"
#include "core/platform/error.h"
#include "core/platform/hex.h"
#include "functions/analytics/fact.h"
#include "functions/calls/calls.h"

extern "C" {
#include "libpq/pqformat.h"
}

namespace vrm::sql {
namespace {

using state = pg::aggregate_state<call_stats>;
using stats = pg::expandable<call_stats>;
using figure = std::optional<std::chrono::microseconds>;

figure in_microseconds(std::optional<std::int64_t> count) {
  if (!count) return std::nullopt;
  return std::chrono::microseconds(*count);
}

std::int64_t count(std::uint64_t calls) { return static_cast<std::int64_t>(calls); }

/// A state from outside, which may be anything.
stats accept(std::span<const std::byte> packed) {
  const stats accepted{nullptr, packed};
  accepted.get().check_plausible();
  return accepted;
}

std::span<const std::byte> pack(const stats& value) {
  if (value.object == nullptr) return value.packed;
  const std::size_t size = value.object->packed_size();
  auto* const place = static_cast<std::byte*>(pg::allocate(size));
  value.object->pack(place);
  return {place, size};
}

}  // namespace

// --- input and output ---------------------------------------------------------------------------

/// Hexadecimal digits after "\x", as of a bytea.
std::span<const std::byte> call_stats_in(const char* text) {
  std::string_view digits(text);
  if (!digits.starts_with("\\x")) byte_reader::refuse(R"(It does not begin with "\x".)");
  digits.remove_prefix(2);
  if (digits.size() % 2 != 0) byte_reader::refuse("It has an odd number of digits.");
  const std::size_t size = digits.size() / 2;
  auto* const bytes = static_cast<std::uint8_t*>(pg::allocate(size + 1));
  for (std::size_t i = 0; i < size; ++i) {
    const int byte = hex_byte(digits[2 * i], digits[(2 * i) + 1]);
    if (byte < 0) byte_reader::refuse("It has a wrong digit.");
    bytes[i] = static_cast<std::uint8_t>(byte);
  }
  return accept(std::as_bytes(std::span(bytes, size))).packed;
}

const char* call_stats_out(stats value) {
  const auto bytes = pack(value);
  auto* const text = static_cast<char*>(pg::allocate((bytes.size() * 2) + 3));
  text[0] = '\\';
  text[1] = 'x';
  char* end = text + 2;
  for (const std::byte byte : bytes) end = write_hex(byte, end);
  *end = '\0';
  return text;
}

/// What arrives in binary form: the rest of a message.
struct message {
  StringInfo buffer;
};

std::span<const std::byte> call_stats_recv(message from) {
  const int size = from.buffer->len - from.buffer->cursor;
  const char* const bytes = pg::guarded([&] { return pq_getmsgbytes(from.buffer, size); });
  return accept(std::as_bytes(std::span(bytes, static_cast<std::size_t>(size)))).packed;
}

std::span<const std::byte> call_stats_send(stats value) { return pack(value); }

bool call_stats_equal(stats left, stats right) {
  // A state has one form in bytes (see packing.h), so equal states are equal bytes.
  return std::ranges::equal(pack(left), pack(right));
}

pg::jsonb_text call_stats_json(stats value) { return {value.get().json()}; }

// --- aggregation --------------------------------------------------------------------------------

state add_run(state into, std::optional<std::string_view> status,
              std::optional<pg::timestamp> started_at, std::optional<pg::timestamp> completed_at,
              std::optional<pg::jsonb_head> results) {
  into->add(read_call(status.value_or(""), started_at, completed_at, results));
  return into;
}

namespace {

/// Without what was said.
void add_call_to(call_stats& into, const fact& of) {
  call one{.status = call_status_of(of.status.value_or("")), .bad = of.bad.value_or(false)};
  if (of.duration_ms) {
    if (*of.duration_ms >= 0 && *of.duration_ms <= duration_histogram::longest) {
      one.duration = of.duration_ms;
    } else {
      one.bad = true;
    }
  }
  if (of.sentiment) {
    one.sentiment = call_sentiment_of(*of.sentiment);
    one.bad |= one.sentiment == call_sentiment::none;
  }
  if (of.actions) {
    if (*of.actions >= 0) {
      one.actions = of.actions;
    } else {
      one.bad = true;
    }
  }
  if (of.customer) one.customer = static_cast<std::uint64_t>(*of.customer);
  into.add(one);
}

}  // namespace

void add_to(call_stats& into, const fact& one) {
  const auto not_negative = [](auto number) {
    if (number.value_or(0) >= 0) return;
    throw error("22023", "figures of a call must not be negative")
        .detail("One of them is.")
        .hint("Leave out what is not known: null.");
  };
  for (const auto number :
       {one.agent_ms, one.customer_ms, one.interruptions, one.tool_calls, one.tool_failures}) {
    not_negative(number);
  }
  not_negative(one.cost_micros);
  add_call_to(into, one);
  const std::int32_t calls = one.tool_calls.value_or(0);
  into.add(conversation{.agent_time = one.agent_ms,
                        .customer_time = one.customer_ms,
                        .interruptions = one.interruptions.value_or(0),
                        .tool_calls = calls,
                        .tool_failures = std::min(one.tool_failures.value_or(0), calls),
                        .answers = one.answers.value_or(std::span<const std::byte>()),
                        .outcome = outcome_kind_of(one.kind.value_or("")),
                        .cost = one.cost_micros,
                        .currency = one.currency.value_or("")},
           call_status_of(one.status.value_or("")) == call_status::completed);
}

/// With `bad` for facts, whose documents have been read before.
state add_fact(state into, std::optional<std::string_view> status,
               std::optional<std::int64_t> duration_ms, std::optional<std::string_view> sentiment,
               std::optional<std::int32_t> actions, std::optional<std::int64_t> customer,
               std::optional<bool> bad) {
  add_call_to(into.object->value(), {.status = status,
                                     .duration_ms = duration_ms,
                                     .sentiment = sentiment,
                                     .actions = actions,
                                     .customer = customer,
                                     .bad = bad});
  return into;
}

/// With what was said and what it came to, as vrm.call_facts has it.
state add_conversation_fact(
    state into, std::optional<std::string_view> status, std::optional<std::int64_t> duration_ms,
    std::optional<std::string_view> sentiment, std::optional<std::int32_t> actions,
    std::optional<std::int64_t> customer, std::optional<bool> bad,
    std::optional<std::int32_t> agent_ms, std::optional<std::int32_t> customer_ms,
    std::optional<std::int32_t> interruptions, std::optional<std::span<const std::byte>> answers,
    std::optional<std::int32_t> tool_calls, std::optional<std::int32_t> tool_failures,
    std::optional<std::string_view> kind, std::optional<std::int64_t> cost_micros,
    std::optional<std::string_view> currency) {
  add_to(into.object->value(),
         {status, duration_ms, sentiment, actions, customer, bad, agent_ms, customer_ms,
          interruptions, answers, tool_calls, tool_failures, kind, cost_micros, currency});
  return into;
}

state add_call(state into, std::optional<std::string_view> status,
               std::optional<std::int64_t> duration_ms, std::optional<std::string_view> sentiment,
               std::optional<std::int32_t> actions, std::optional<std::int64_t> customer) {
  return add_fact(into, status, duration_ms, sentiment, actions, customer, std::nullopt);
}

state add_duration(state into, std::optional<double> seconds) {
  if (!seconds) return into;
  const double duration = std::nearbyint(*seconds * 1000);
  // NaN passes neither test, so it is bad as well.
  if (duration >= 0 && duration <= static_cast<double>(duration_histogram::longest)) {
    into->add_duration(static_cast<std::int64_t>(duration));
  } else {
    into->add_bad();
  }
  return into;
}

/// One packed state is handed on as it is: those of a day or a month are often alone.
pg::next_state<call_stats> merge_stats(pg::unopened_state<call_stats> before,
                                       std::optional<stats> other) {
  if (!other && !before.is_null()) return {before.datum()};
  if (other && other->object == nullptr && call_stats::is_nothing(before.packed())) {
    return {pg::datum_traits<std::span<const std::byte>>::to(other->packed)};
  }
  const state into = before.open();
  if (other && other->object != nullptr) {
    into.object->value().merge(*other->object);
  } else if (other) {
    // As it is stored: no object is made of it.
    into.object->value().merge(other->packed);
  }
  return {pg::datum_traits<state>::to(into)};
}

pg::aggregate_result<call_stats> finish_stats(pg::aggregate_result<call_stats> state) {
  return state;
}

// --- figures ------------------------------------------------------------------------------------

std::int64_t call_count(stats value) { return count(value.get().calls()); }
std::optional<double> success_rate(stats value) { return value.get().success_rate(); }
std::int64_t distinct_customers(stats value) { return value.get().distinct_customers(); }

namespace {

/// A fraction of all, from 0 to 1.
void check_fraction(double fraction, const char* example) {
  if (fraction >= 0 && fraction <= 1) return;
  throw error("22003", "percentile value " + std::to_string(fraction) + " is not between 0 and 1")
      .hint(example);
}

figure in_milliseconds(std::optional<std::int64_t> count) {
  if (!count) return std::nullopt;
  return std::chrono::milliseconds(*count);
}

}  // namespace

figure duration_quantile(stats value, double fraction) {
  check_fraction(fraction, "For the median: SELECT vrm.duration_quantile(stats, 0.5);");
  return in_microseconds(value.get().duration_quantile(fraction));
}

std::optional<double> duration_rank(stats value, std::chrono::microseconds duration) {
  return value.get().duration_rank(duration.count());
}

figure answer_time_quantile(stats value, double fraction) {
  check_fraction(fraction, "For the median: SELECT vrm.answer_time_quantile(stats, 0.5);");
  return in_milliseconds(value.get().conversations().answer_quantile(fraction));
}

using conversation_row =
    pg::record<std::int64_t, figure, figure, std::optional<double>, std::optional<double>,
               std::optional<double>, std::optional<double>, std::optional<std::int64_t>,
               std::optional<std::string>, std::optional<double>>;

conversation_row conversation_summary(stats value) {
  const conversation_stats& said = value.get().conversations();
  std::optional<std::string> currency;
  if (!said.currency().empty()) currency = said.currency();
  return {count(said.answers()),
          in_milliseconds(said.answer_quantile(0.5)),
          in_milliseconds(said.answer_quantile(0.95)),
          said.interruptions(),
          said.talk_share(),
          said.transfer_rate(),
          said.containment_rate(),
          said.cost(),
          currency,
          said.tool_success_rate()};
}

using summary_row =
    pg::record<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
               std::optional<double>, figure, figure, figure, figure, figure, figure, figure,
               std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;

summary_row summary(stats value) {
  const call_stats& all = value.get();
  const auto quantile = [&](double fraction) {
    return in_microseconds(all.duration_quantile(fraction));
  };
  return {count(all.calls()),
          count(all.calls(call_status::queued)),
          count(all.calls(call_status::running)),
          count(all.calls(call_status::completed)),
          count(all.calls(call_status::failed)),
          count(all.calls(call_status::cancelled)),
          all.success_rate(),
          in_microseconds(all.average_duration()),
          in_microseconds(all.duration_deviation()),
          in_microseconds(all.shortest_duration()),
          quantile(0.5),
          quantile(0.95),
          quantile(0.99),
          in_microseconds(all.longest_duration()),
          count(all.calls(call_sentiment::positive)),
          count(all.calls(call_sentiment::neutral)),
          count(all.calls(call_sentiment::negative)),
          all.actions(),
          all.distinct_customers(),
          count(all.bad_calls())};
}

using figures_row =
    decltype(std::tuple_cat(std::declval<summary_row>(), std::declval<conversation_row>()));

/// Both at once, of a state that is unpacked once.
figures_row figures(stats value) {
  const stats unpacked{&value.get(), {}};
  return std::tuple_cat(summary(unpacked), conversation_summary(unpacked));
}

}  // namespace vrm::sql

namespace pg {

template <>
struct datum_traits<vrm::sql::message> {
  static constexpr Oid oid = INTERNALOID;
  static vrm::sql::message from(Datum datum) noexcept {
    return {reinterpret_cast<StringInfo>(DatumGetPointer(datum))};
  }
};

}  // namespace pg

PG_EXPORT(vrm_call_stats_in, vrm::sql::call_stats_in);
PG_EXPORT(vrm_call_stats_out, vrm::sql::call_stats_out);
PG_EXPORT(vrm_call_stats_recv, vrm::sql::call_stats_recv);
PG_EXPORT(vrm_call_stats_send, vrm::sql::call_stats_send);
PG_EXPORT(vrm_call_stats_equal, vrm::sql::call_stats_equal);
PG_EXPORT(vrm_call_stats_json, vrm::sql::call_stats_json);
PG_EXPORT(vrm_add_run, vrm::sql::add_run);
PG_EXPORT(vrm_add_fact, vrm::sql::add_fact);
PG_EXPORT(vrm_add_conversation_fact, vrm::sql::add_conversation_fact);
PG_EXPORT(vrm_answer_time_quantile, vrm::sql::answer_time_quantile);
PG_EXPORT(vrm_conversation_summary, vrm::sql::conversation_summary);
PG_EXPORT(vrm_add_call, vrm::sql::add_call);
PG_EXPORT(vrm_add_duration, vrm::sql::add_duration);
PG_EXPORT(vrm_merge_stats, vrm::sql::merge_stats);
PG_EXPORT(vrm_finish_stats, vrm::sql::finish_stats);
PG_EXPORT(vrm_call_count, vrm::sql::call_count);
PG_EXPORT(vrm_success_rate, vrm::sql::success_rate);
PG_EXPORT(vrm_distinct_customers, vrm::sql::distinct_customers);
PG_EXPORT(vrm_duration_quantile, vrm::sql::duration_quantile);
PG_EXPORT(vrm_duration_rank, vrm::sql::duration_rank);
PG_EXPORT(vrm_summary, vrm::sql::summary);
PG_EXPORT(vrm_figures, vrm::sql::figures);
