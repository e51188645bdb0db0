// Call statistics as bytes, in one form for each state, and as JSON.
//
//   version 1, flags (1: durations are not all whole seconds, 2: customers are registers)
//   calls by status, by sentiment, bad; calls with actions, sum of actions; calls with customer
//   buckets in use; if any: least, most, sum, sum of squares, (distance from the last one,
//   count)... customers: how many, each as 8 bytes in ascending order; or 4096 registers of six
//   bits
//
// Version 2 is followed by figures of conversations (conversation_stats.h).  A state without any is
// of version 1, as those of vrm 1.0 are.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/analytics/call_stats.h"
#include "core/platform/json_writer.h"

namespace vrm {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::uint8_t version_with_conversations = 2;
constexpr std::uint8_t broken_seconds = 1;
constexpr std::uint8_t dense_customers = 2;
constexpr std::size_t hash_bytes = 8;
constexpr uint128 anything = ~uint128{0};

template <typename Sink>
void write_registers(Sink& sink, std::span<const std::uint8_t> registers) {
  for (std::size_t i = 0; i < registers.size(); i += 4) {  // four times six bits in three bytes
    std::uint32_t bits = 0;
    for (unsigned j = 0; j < 4; ++j) bits |= std::uint32_t{registers[i + j]} << (6 * j);
    for (unsigned shift = 0; shift < 24; shift += 8) {
      sink.byte(static_cast<std::uint8_t>(bits >> shift));
    }
  }
}

}  // namespace

template <typename Sink>
void call_stats::write(Sink& sink) const {
  const bool dense = !customers_.dense().empty();
  sink.byte(conversations_.empty() ? version : version_with_conversations);
  sink.byte(static_cast<std::uint8_t>((whole_seconds_ ? 0 : broken_seconds) |
                                      (dense ? dense_customers : 0)));
  for (const std::uint64_t count : by_status_) sink.number(count);
  for (std::size_t i = 0; i < sentiments; ++i) sink.number(by_sentiment_[i]);
  sink.number(bad_);
  sink.number(with_actions_);
  sink.number(actions_.value());
  sink.number(with_customer_);

  std::uint64_t used = 0;
  // Without durations the histogram may still be an array, of zeros.
  if (durations_ > 0) histogram_.each([&](auto, auto) { ++used; });
  sink.number(used);
  if (used > 0) {
    sink.number(static_cast<uint128>(shortest_));
    sink.number(static_cast<uint128>(longest_));
    sink.number(sum_.value());
    sink.number(squares_.value());
    // Buckets come in ascending order, so that each is a small number away from the last.
    duration_histogram::bucket before = 0;
    histogram_.each([&](duration_histogram::bucket bucket, std::uint64_t count) {
      sink.number(bucket - before);
      sink.number(count);
      before = bucket;
    });
  }

  if (dense) {
    write_registers(sink, customers_.dense());
  } else {
    sink.number(customers_.exact().size());
    for (const std::uint64_t hash : customers_.exact()) {
      for (std::size_t i = 0; i < hash_bytes; ++i) {
        sink.byte(static_cast<std::uint8_t>(hash >> (8 * i)));
      }
    }
  }
  if (!conversations_.empty()) conversations_.write(sink);
}

std::size_t call_stats::packed_size() const noexcept {
  byte_counter counter;
  write(counter);
  return counter.size();
}

void call_stats::pack(std::byte* place) const noexcept {
  byte_writer writer(place);
  write(writer);
}

bool call_stats::is_nothing(std::span<const std::byte> packed) noexcept {
  constexpr std::size_t numbers = statuses + sentiments + 6;  // and no flags
  return packed.size() == 2 + numbers && packed[0] == std::byte{version} &&
         std::ranges::all_of(packed.subspan(1), [](std::byte one) { return one == std::byte{0}; });
}

// --- reading ------------------------------------------------------------------------------------

namespace {

/// Which any processor of 64 bits shifts at once; an extension of gcc and clang.
using two_words [[gnu::vector_size(16)]] = std::uint64_t;

/// Merging the months of a large user is mostly this.
std::array<std::uint8_t, hyperloglog::registers> read_registers(byte_reader& reader) {
  // Each is written below.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
  std::array<std::uint8_t, hyperloglog::registers> registers;
  const auto packed = reader.take(registers.size() / 4 * 3);
  for (std::size_t group = 0; group < registers.size() / 8; group += 2) {
    // Six bytes out of eight: the last ones are those before the end.
    const std::size_t next = 6 * (group + 1);
    const std::uint64_t second = next + 8 <= packed.size()
                                     ? load_eight(&packed[next])
                                     : load_eight(&packed[packed.size() - 8]) >> 16U;
    two_words bits = {load_eight(&packed[6 * group]), second};
    // Eight times six bits: each half, quarter and eighth of them is moved to where it begins.
    bits = (bits & 0xFFFFFFU) | (bits & 0xFFFFFF000000U) << 8U;
    bits = (bits & 0x00000FFF00000FFFU) | (bits & 0x00FFF00000FFF000U) << 4U;
    bits = (bits & 0x003F003F003F003FU) | (bits & 0x0FC00FC00FC00FC0U) << 2U;
    store_eight(bits[0], &registers[8 * group]);
    store_eight(bits[1], &registers[8 * (group + 1)]);
  }
  std::uint8_t highest = 0;
  for (const std::uint8_t value : registers) highest = std::max(highest, value);
  if (highest > hyperloglog::highest) byte_reader::refuse("A register is out of range.");
  return registers;
}

}  // namespace

/// A state may come from outside, as a value of its type: no byte of it is trusted.  What fails
/// halfway leaves this object in between, so the caller throws it away with the exception.
void call_stats::merge(std::span<const std::byte> packed) {
  byte_reader reader(packed);
  const std::uint8_t its_version = reader.byte();
  if (its_version != version && its_version != version_with_conversations) {
    byte_reader::refuse("Its version is neither 1 nor 2.");
  }
  const std::uint8_t flags = reader.byte();
  if (flags > (broken_seconds | dense_customers)) byte_reader::refuse("Its flags are unknown.");
  const auto count = [&] { return static_cast<std::uint64_t>(reader.number(most_calls)); };

  std::uint64_t calls = 0;
  for (std::uint64_t& of_status : by_status_) {
    const std::uint64_t more = count();
    of_status += more;
    calls += more;
  }
  if (this->calls() > most_calls) {
    throw error("22003", "call statistics out of range")
        .detail("They hold at most " + std::to_string(most_calls) + " calls.")
        .hint("Take statistics of a shorter time, or of fewer agents.");
  }
  std::uint64_t felt = 0;
  for (std::size_t i = 0; i < sentiments; ++i) {
    const std::uint64_t more = count();
    by_sentiment_[i] += more;
    felt += more;
  }
  if (felt > calls) byte_reader::refuse("It has more sentiments than calls.");
  // Kept as a number of its own, not sent: what has no sentiment follows from the others.
  by_sentiment_[sentiments] += calls - felt;
  bad_ += count();
  with_actions_ += count();
  actions_.add(reader.number(anything));
  with_customer_ += count();
  read_durations(reader, (flags & broken_seconds) == 0);
  read_customers(reader, (flags & dense_customers) != 0);
  if (its_version == version_with_conversations) {
    // A version 2 without figures would be a second form of a state of version 1.
    if (reader.at_end()) byte_reader::refuse("It ends too early.");
    conversations_.merge(reader);
  }
  if (!reader.at_end()) byte_reader::refuse("It goes on after its end.");
}

void call_stats::read_durations(byte_reader& reader, bool whole_seconds) {
  using bucket = duration_histogram::bucket;
  const auto used = static_cast<bucket>(reader.number(duration_histogram::buckets));
  if (used == 0) {
    if (!whole_seconds) byte_reader::refuse("It has a flag of durations, and no durations.");
    return;
  }
  const auto duration = [&] {
    return static_cast<std::int64_t>(
        reader.number(static_cast<uint128>(duration_histogram::longest)));
  };
  const std::int64_t shortest = duration();
  const std::int64_t longest = duration();
  if (shortest > longest) byte_reader::refuse("Its shortest duration is longer than its longest.");
  widen(shortest, longest, whole_seconds);
  sum_.add(reader.number(anything));
  squares_.add(reader.number(anything));
  durations_ += histogram_.read(reader, {.used = used,
                                         .least = duration_histogram::bucket_of(shortest),
                                         .most = duration_histogram::bucket_of(longest),
                                         .most_count = most_calls,
                                         .what = "duration"});
}

void call_stats::read_customers(byte_reader& reader, bool dense) {
  if (dense) {
    // Ranks are checked, but registers that no customers make are seen by check_plausible() alone.
    customers_.merge(read_registers(reader));
    return;
  }
  const auto size = static_cast<std::size_t>(reader.number(hyperloglog::most_exact));
  const auto hashes = reader.take(size * hash_bytes);
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t hash = load_eight(&hashes[i * hash_bytes]);
    if (i > 0 && hash <= before) byte_reader::refuse("Its customers are not in order.");
    // In order and none twice, so add() does what it did when the state was made.
    customers_.add(before = hash);
  }
}

void call_stats::check_plausible() const {
  const auto demand = [](bool holds, const char* otherwise) {
    if (!holds) byte_reader::refuse(otherwise);
  };
  const std::uint64_t total = calls();
  conversations_.check_plausible(total);
  demand(bad_ <= total, "It has more bad calls than calls.");
  demand(with_actions_ <= total, "It has more calls with actions than calls.");
  demand(actions_.value() <= uint128{with_actions_} * INT32_MAX, "It has too many actions.");
  demand(with_customer_ <= total, "It has more calls with a customer than calls.");
  demand(durations_ <= calls(call_status::completed), "It has more durations than calls.");
  if (customers_.dense().empty()) {
    demand(customers_.exact().size() <= with_customer_, "It has more customers than calls.");
    demand(!customers_.exact().empty() || with_customer_ == 0, "It has calls of no customer.");
  } else {
    const auto raised = std::ranges::count_if(customers_.dense(), [](auto r) { return r > 0; });
    demand(raised > 0 && static_cast<std::uint64_t>(raised) <= with_customer_,
           "Its registers fit no number of customers.");
    demand(with_customer_ > hyperloglog::most_exact, "It has registers for few customers.");
  }

  // what the durations in their buckets can add up to
  // By now `durations_` is at most 2^40, hence none of these sums overflows.
  uint128 least = 0;
  uint128 most = 0;
  uint128 least_squares = 0;
  uint128 most_squares = 0;
  histogram_.each([&](duration_histogram::bucket bucket, std::uint64_t count) {
    const auto range = duration_histogram::range_of(bucket);
    const auto low = static_cast<uint128>(range.least);
    const auto high = static_cast<uint128>(range.most);
    least += low * count;
    most += high * count;
    least_squares += low * low * count;
    most_squares += high * high * count;
  });
  demand(sum_.value() >= least && sum_.value() <= most, "Its sum of durations is impossible.");
  demand(squares_.value() >= least_squares && squares_.value() <= most_squares,
         "Its sum of squares is impossible.");
  demand(!whole_seconds_ || (shortest_ % 1000 == 0 && longest_ % 1000 == 0),
         "Its durations are not of whole seconds.");
}

// --- JSON ---------------------------------------------------------------------------------------

namespace {

/// Microseconds as seconds.
std::optional<double> seconds(std::optional<std::int64_t> microseconds) {
  return microseconds ? std::optional(static_cast<double>(*microseconds) / 1e6) : std::nullopt;
}

}  // namespace

std::string call_stats::json() const {
  json::object_writer duration;
  duration.integer("calls", durations_)
      .real("average", seconds(average_duration()))
      .real("stddev", seconds(duration_deviation()))
      .real("min", seconds(shortest_duration()))
      .real("p50", seconds(duration_quantile(0.5)))
      .real("p95", seconds(duration_quantile(0.95)))
      .real("p99", seconds(duration_quantile(0.99)))
      .real("max", seconds(longest_duration()));
  json::object_writer sentiment;
  sentiment.integer("positive", calls(call_sentiment::positive))
      .integer("neutral", calls(call_sentiment::neutral))
      .integer("negative", calls(call_sentiment::negative));
  json::object_writer figures;
  figures.integer("calls", calls())
      .integer("queued", calls(call_status::queued))
      .integer("running", calls(call_status::running))
      .integer("completed", calls(call_status::completed))
      .integer("failed", calls(call_status::failed))
      .integer("cancelled", calls(call_status::cancelled))
      .real("success_rate", success_rate())
      .json("duration", duration.close())
      .json("sentiment", sentiment.close())
      .integer("actions", static_cast<std::uint64_t>(actions()))
      .integer("customers", static_cast<std::uint64_t>(distinct_customers()))
      .integer("bad", bad_);
  if (!conversations_.empty()) figures.json("conversation", conversations_.json());
  return figures.close();
}

}  // namespace vrm
