// Rules that the transcript of a call answers by itself.
#include "core/testing/checks.h"

#include <algorithm>
#include <cmath>

namespace vrm {
namespace {

/// Why a call fails, or nothing.
using complaint = std::optional<std::string>;

/// One check of one call.
struct question {
  const check* asked;
  std::size_t index;
  const transcript* call;
  matching* match;
};

/// Number of the first turn, from 1, in which it was said; 0 when in none.
std::size_t turn_with_words(const question& ask) {
  std::size_t number = 0;
  for (const spoken_turn& turn : ask.call->turns) {
    ++number;
    const bool wanted = ask.asked->by == check::voice::anybody || turn.by == ask.asked->by;
    if (wanted && ask.match->occurs(ask.index, turn.text)) return number;
  }
  return 0;
}

complaint words(const question& ask) {
  if (std::string problem = ask.match->problem(ask.index); !problem.empty()) return problem;
  const std::size_t number = turn_with_words(ask);
  if (ask.asked->type == check::kind::said) {
    return number > 0 ? complaint{} : complaint{"was not said"};
  }
  if (number == 0) return std::nullopt;
  return "was said in turn " + std::to_string(number);
}

complaint tool(const question& ask) {
  bool by_name = false;
  bool found = false;
  for (std::size_t i = 0; i < ask.call->tools.size(); ++i) {
    if (ask.call->tools[i] != ask.asked->tool) continue;
    by_name = true;
    found = found || ask.asked->arguments.empty() || ask.match->arguments_fit(ask.index, i);
  }
  if (ask.asked->type == check::kind::tool_not_called) {
    return found ? complaint{"was called"} : complaint{};
  }
  if (found) return std::nullopt;
  return by_name ? "was called, with other arguments" : "was not called";
}

/// Each tool after the one before it, whatever lies between.
complaint order(const question& ask) {
  auto next = ask.asked->tools.begin();
  for (const std::string_view called : ask.call->tools) {
    // Taking the first that fits is enough: it leaves the most calls for the tools after it.
    if (next != ask.asked->tools.end() && called == *next) ++next;
  }
  if (next == ask.asked->tools.end()) return std::nullopt;
  if (next == ask.asked->tools.begin()) return *next + " was not called";
  return *next + " was not called after " + *std::prev(next);
}

complaint length(const question& ask) {
  if (!ask.call->duration) return "how long the call took is not known";
  if (*ask.call->duration <= ask.asked->most) return std::nullopt;
  return "took " + std::to_string(*ask.call->duration) + " ms, at most " +
         std::to_string(ask.asked->most) + " were allowed";
}

complaint answer_time(const question& ask) {
  constexpr double most_of_them = 0.95;
  const auto found = nearest_rank(answering_times(ask.call->turns), most_of_them);
  if (!found) return "no answering time is known";
  if (*found <= ask.asked->most) return std::nullopt;
  return "p95 was " + std::to_string(*found) + " ms, at most " + std::to_string(ask.asked->most) +
         " were allowed";
}

/// Whether another voice began before a turn ended.
bool overlaps(const spoken_turn& turn, const spoken_turn& next) {
  return turn.by != next.by && turn.end && next.begin && *next.begin < *turn.end;
}

/// A turn that says so, or one that ends after another voice has begun.
complaint interruption(const question& ask) {
  const auto& turns = ask.call->turns;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const bool into_next = i + 1 < turns.size() && overlaps(turns[i], turns[i + 1]);
    if (turns[i].interrupted || into_next) {
      return "turn " + std::to_string(i + 1) + " was interrupted";
    }
  }
  return std::nullopt;
}

complaint complaint_of(const question& ask) {
  switch (ask.asked->type) {
    case check::kind::said:
    case check::kind::not_said:
      return words(ask);
    case check::kind::tool_called:
    case check::kind::tool_not_called:
      return tool(ask);
    case check::kind::tool_order:
      return order(ask);
    case check::kind::ended_within:
      return length(ask);
    case check::kind::answer_time:
      return answer_time(ask);
    case check::kind::no_interruption:
      break;
  }
  return interruption(ask);
}

}  // namespace

std::vector<failed_check> failed_checks(std::span<const check> checks, const transcript& call,
                                        matching& match) {
  std::vector<failed_check> failed;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (auto reason =
            complaint_of({.asked = &checks[i], .index = i, .call = &call, .match = &match})) {
      failed.push_back({.index = i, .reason = *std::move(reason)});
    }
  }
  return failed;
}

std::vector<std::int64_t> answering_times(std::span<const spoken_turn> turns) {
  std::vector<std::int64_t> times;
  std::optional<std::int64_t> asked;  // when the customer was done
  for (const spoken_turn& turn : turns) {
    if (turn.by == check::voice::customer) {
      asked = turn.end ? turn.end : turn.begin;
    } else if (turn.by == check::voice::agent) {
      // Who answers before the customer is done has kept nobody waiting.
      if (asked && turn.begin) times.push_back(std::max<std::int64_t>(0, *turn.begin - *asked));
      asked.reset();
    }
  }
  return times;
}

std::optional<std::int64_t> nearest_rank(std::vector<std::int64_t> values, double fraction) {
  if (values.empty()) return std::nullopt;
  const double rank = std::ceil(fraction * static_cast<double>(values.size()));
  const auto index = static_cast<std::ptrdiff_t>(std::max(1.0, rank)) - 1;
  std::ranges::nth_element(values, values.begin() + index);
  return values[static_cast<std::size_t>(index)];
}

}  // namespace vrm
