// Adding, merging and reading figures of conversations.
#include "core/analytics/conversation_stats.h"

#include <algorithm>
#include <cmath>

#include "core/platform/error.h"
#include "core/platform/json_writer.h"

namespace vrm {
namespace {

constexpr std::size_t most_bytes = 1'800;  ///< of a call's answers: they are part of an index
constexpr std::size_t most_currencies = 300;
constexpr std::uint64_t most = std::uint64_t{1} << 62;  ///< of any counter
constexpr std::uint32_t highest_code = 0x5A5A5A;        ///< "ZZZ"

std::optional<double> ratio(std::uint64_t part, std::uint64_t whole) noexcept {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

/// Three letters as a number that sorts as they do; 0 for none.
std::uint32_t code_of(std::string_view currency) noexcept {
  std::uint32_t code = 0;
  for (const char letter : currency.substr(0, 3)) {
    code = (code << 8) | static_cast<unsigned char>(letter);
  }
  return code;
}

void add(std::uint64_t& counter, std::uint64_t more) {
  // Neither is above 2^62, so the sum does not wrap before it is looked at.
  counter += more;
  if (counter > most) {
    throw error("22003", "call statistics out of range")
        .detail("A figure of conversations is too large.")
        .hint("Take statistics of a shorter time, or of fewer agents.");
  }
}

std::int64_t next_answer(byte_reader& reader, std::int64_t before) {
  const auto most_distance = static_cast<uint128>(duration_histogram::longest - before);
  return before + static_cast<std::int64_t>(reader.number(most_distance));
}

}  // namespace

outcome_kind outcome_kind_of(std::string_view text) noexcept {
  if (text == "contained") return outcome_kind::contained;
  if (text == "transferred") return outcome_kind::transferred;
  return text.empty() ? outcome_kind::none : outcome_kind::other;
}

std::vector<std::byte> pack_answers(std::vector<std::int64_t> answers) {
  // The first ones as they came, not the shortest: hence cut unsorted, and sorted anew.
  for (;;) {
    std::vector<std::int64_t> sorted = answers;
    std::ranges::sort(sorted);
    const auto write = [&](auto& sink) {
      std::int64_t before = 0;
      for (const std::int64_t answer : sorted) {
        sink.number(static_cast<uint128>(answer - before));
        before = answer;
      }
    };
    byte_counter counter;
    write(counter);
    if (counter.size() > most_bytes) {
      answers.resize(answers.size() * most_bytes / counter.size());
      continue;
    }
    std::vector<std::byte> packed(counter.size());
    byte_writer writer(packed.data());
    write(writer);
    return packed;
  }
}

std::vector<std::int64_t> unpack_answers(std::span<const std::byte> packed) {
  std::vector<std::int64_t> answers;
  byte_reader reader(packed);
  std::int64_t answer = 0;
  while (!reader.at_end()) {
    answer = next_answer(reader, answer);
    answers.push_back(answer);
  }
  return answers;
}

void conversation_stats::add(const conversation& one, bool completed) {
  if (one.agent_time || one.customer_time) {
    ++spoken_;
    vrm::add(agent_time_, static_cast<std::uint64_t>(one.agent_time.value_or(0)));
    vrm::add(customer_time_, static_cast<std::uint64_t>(one.customer_time.value_or(0)));
    interruptions_ += static_cast<std::uint64_t>(one.interruptions);
    byte_reader reader(one.answers);
    std::int64_t answer = 0;
    // Their sum is bounded by `longest`, so bytes from anywhere cannot overflow it.
    while (!reader.at_end()) {
      answer = next_answer(reader, answer);
      widen(answer, answer);
      ++answered_;
      answers_.add(duration_histogram::bucket_of(answer));
    }
  }
  tool_calls_ += static_cast<std::uint64_t>(one.tool_calls);
  tool_failures_ += static_cast<std::uint64_t>(one.tool_failures);
  // Running and failed calls have no outcome that says anything of the agent.
  if (completed && one.outcome != outcome_kind::none) {
    ++judged_;
    contained_ += static_cast<std::uint64_t>(one.outcome == outcome_kind::contained);
    transferred_ += static_cast<std::uint64_t>(one.outcome == outcome_kind::transferred);
  }
  if (one.cost) {
    add_price(
        {.code = code_of(one.currency), .calls = 1, .sum = static_cast<std::uint64_t>(*one.cost)});
  }
}

void conversation_stats::widen(std::int64_t shortest, std::int64_t longest) noexcept {
  shortest_ = answered_ == 0 ? shortest : std::min(shortest_, shortest);
  longest_ = answered_ == 0 ? longest : std::max(longest_, longest);
}

void conversation_stats::add_price(const price& more) {
  const auto place = std::ranges::lower_bound(costs_, more.code, {}, &price::code);
  if (place == costs_.end() || place->code != more.code) {
    costs_.insert(place, more);
    return;
  }
  vrm::add(place->calls, more.calls);
  vrm::add(place->sum, more.sum);
}

void conversation_stats::merge(const conversation_stats& other) {
  vrm::add(spoken_, other.spoken_);
  vrm::add(agent_time_, other.agent_time_);
  vrm::add(customer_time_, other.customer_time_);
  vrm::add(interruptions_, other.interruptions_);
  vrm::add(tool_calls_, other.tool_calls_);
  vrm::add(tool_failures_, other.tool_failures_);
  vrm::add(judged_, other.judged_);
  vrm::add(contained_, other.contained_);
  vrm::add(transferred_, other.transferred_);
  if (other.answered_ > 0) {
    widen(other.shortest_, other.longest_);
    vrm::add(answered_, other.answered_);
    answers_.merge(other.answers_);
  }
  for (const price& one : other.costs_) add_price(one);
}

// --- reading ------------------------------------------------------------------------------------

void conversation_stats::merge(byte_reader& reader) {
  bool any = false;
  const auto take = [&] {
    const auto count = static_cast<std::uint64_t>(reader.number(most));
    any |= count > 0;
    return count;
  };
  for (std::uint64_t* const counter :
       {&spoken_, &agent_time_, &customer_time_, &interruptions_, &tool_calls_, &tool_failures_,
        &judged_, &contained_, &transferred_}) {
    vrm::add(*counter, take());
  }
  any |= read_answers(reader);
  any |= read_costs(reader);
  // Zeros would be a second form of a state without conversations.
  if (!any) byte_reader::refuse("Its figures of conversations are all zero.");
}

bool conversation_stats::read_answers(byte_reader& reader) {
  using bucket = duration_histogram::bucket;
  // As call_stats::read_durations(): what write() does not make is refused: one form a state.
  const auto used = static_cast<bucket>(reader.number(duration_histogram::buckets));
  if (used == 0) return false;
  const auto time = [&] {
    return static_cast<std::int64_t>(
        reader.number(static_cast<uint128>(duration_histogram::longest)));
  };
  const std::int64_t shortest = time();
  const std::int64_t longest = time();
  if (shortest > longest) byte_reader::refuse("Its shortest answer is longer than its longest.");
  widen(shortest, longest);
  vrm::add(answered_, answers_.read(reader, {.used = used,
                                             .least = duration_histogram::bucket_of(shortest),
                                             .most = duration_histogram::bucket_of(longest),
                                             .most_count = most,
                                             .what = "answer"}));
  return true;
}

bool conversation_stats::read_costs(byte_reader& reader) {
  const auto currencies = static_cast<std::size_t>(reader.number(most_currencies));
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < currencies; ++i) {
    price one{};
    one.code = static_cast<std::uint32_t>(reader.number(highest_code));
    one.calls = static_cast<std::uint64_t>(reader.number(most));
    one.sum = static_cast<std::uint64_t>(reader.number(most));
    if (i > 0 && one.code <= before) byte_reader::refuse("Its currencies are not in order.");
    if (one.calls == 0) byte_reader::refuse("A currency has no calls.");
    // 0 stands for calls that did not say their currency.
    for (unsigned shift = 0; one.code != 0 && shift < 24; shift += 8) {
      const std::uint32_t letter = (one.code >> shift) & 0xFFU;
      if (letter < 'A' || letter > 'Z') byte_reader::refuse("A currency is not valid.");
    }
    before = one.code;
    add_price(one);
  }
  return currencies > 0;
}

void conversation_stats::check_plausible(std::uint64_t calls) const {
  const auto demand = [](bool holds, const char* otherwise) {
    if (!holds) byte_reader::refuse(otherwise);
  };
  std::uint64_t priced = 0;
  // Each cut to just above what is allowed, so that their sum cannot overflow.
  for (const price& one : costs_) priced += std::min(one.calls, calls + 1);
  demand(spoken_ <= calls, "It has more transcripts than calls.");
  demand(judged_ <= calls, "It has more outcomes than calls.");
  demand(contained_ + transferred_ <= judged_, "It has more outcomes than are known.");
  demand(tool_failures_ <= tool_calls_, "It has more failures of tools than calls of them.");
  demand(priced <= calls, "It has more costs than calls.");
  demand(spoken_ > 0 || (agent_time_ | customer_time_ | interruptions_ | answered_) == 0,
         "It has figures of transcripts, and no transcript.");
}

// --- figures ------------------------------------------------------------------------------------

std::optional<std::int64_t> conversation_stats::answer_quantile(double fraction) const noexcept {
  if (answered_ == 0) return std::nullopt;
  const double rank = std::ceil(fraction * static_cast<double>(answered_));
  if (rank <= 1) return shortest_;
  if (rank >= static_cast<double>(answered_)) return longest_;
  const auto range =
      duration_histogram::range_of(answers_.at_rank(static_cast<std::uint64_t>(rank)));
  // As in call_stats: the middle of what of the bucket was ever seen.
  return (std::max(range.least, shortest_) + std::min(range.most, longest_)) / 2;
}

std::optional<double> conversation_stats::interruptions() const noexcept {
  return ratio(interruptions_, spoken_);
}

std::optional<double> conversation_stats::talk_share() const noexcept {
  return ratio(agent_time_, agent_time_ + customer_time_);
}

std::optional<double> conversation_stats::transfer_rate() const noexcept {
  return ratio(transferred_, judged_);
}

std::optional<double> conversation_stats::containment_rate() const noexcept {
  return ratio(contained_, judged_);
}

std::optional<double> conversation_stats::tool_success_rate() const noexcept {
  return ratio(tool_calls_ - tool_failures_, tool_calls_);
}

std::optional<std::int64_t> conversation_stats::cost() const noexcept {
  if (costs_.size() != 1) return std::nullopt;
  return static_cast<std::int64_t>(costs_.front().sum);
}

namespace {

std::string currency_called(std::uint32_t code) {
  std::string text;
  for (int shift = 16; code != 0 && shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>((code >> static_cast<unsigned>(shift)) & 0xFFU));
  }
  return text;
}

/// Millionths as a number with a point.
std::string decimal(std::uint64_t millionths) {
  std::string digits = std::to_string(millionths % 1'000'000);
  digits.insert(0, 6 - digits.size(), '0');
  return std::to_string(millionths / 1'000'000) + "." + digits;
}

}  // namespace

std::string conversation_stats::currency() const {
  return costs_.size() == 1 ? currency_called(costs_.front().code) : std::string();
}

std::string conversation_stats::json() const {
  const auto seconds = [&](double fraction) -> std::optional<double> {
    const auto time = answer_quantile(fraction);
    if (!time) return std::nullopt;
    return static_cast<double>(*time) / 1000;
  };
  json::object_writer costs;
  for (const price& one : costs_) costs.json(currency_called(one.code), decimal(one.sum));
  json::object_writer figures;
  figures.integer("transcripts", spoken_)
      .integer("answers", answered_)
      .real("p50_answer_time", seconds(0.5))
      .real("p95_answer_time", seconds(0.95))
      .integer("interruptions", interruptions_)
      .real("talk_share", talk_share())
      .integer("tool_calls", tool_calls_)
      .integer("tool_failures", tool_failures_)
      .integer("outcomes", judged_)
      .integer("contained", contained_)
      .integer("transferred", transferred_)
      .json("cost", costs_.empty() ? "{}" : costs.close());
  return figures.close();
}

}  // namespace vrm
