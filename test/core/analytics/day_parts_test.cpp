// Statistics by the quarter of an hour: any time of a day is what its calls come to, with spans and
// without, and bytes from strangers are refused.
#include "core/analytics/day_parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <random>
#include <string>

#include "core/platform/error.h"

namespace {

using vrm::call;
using vrm::call_stats;
using vrm::day_parts;

std::pmr::memory_resource* const memory = std::pmr::new_delete_resource();
using bytes = std::vector<std::byte>;

template <typename T>
bytes packed(const T& value) {
  bytes out(value.packed_size());
  value.pack(out.data());
  return out;
}

struct timed_call {
  int quarter;
  call of;
};

std::vector<timed_call> some_calls(int count, int first, int last) {
  std::mt19937_64 random(static_cast<std::uint64_t>(count));
  std::vector<timed_call> calls;
  calls.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    calls.push_back(
        {.quarter = first + static_cast<int>(random() % static_cast<std::uint64_t>(last - first)),
         .of = {.status = vrm::call_status::completed,
                .duration = static_cast<std::int64_t>(random() % 900'000),
                .customer = random() % 5000}});
  }
  return calls;
}

bytes parts_of(const std::vector<timed_call>& calls) {
  day_parts parts(memory);
  for (const auto& one : calls) parts.at(one.quarter).add(one.of);
  return packed(parts);
}

bytes direct(const std::vector<timed_call>& calls, int since, int until) {
  call_stats stats(memory);
  for (const auto& one : calls) {
    if (one.quarter >= since && one.quarter < until) stats.add(one.of);
  }
  return packed(stats);
}

bytes by_parts(const bytes& parts, int since, int until) {
  const std::span<const std::byte> all(parts);
  const vrm::parts_directory directory(
      all.first(std::min(all.size(), vrm::parts_directory::most_size)));
  call_stats stats(memory);
  for (const auto place : directory.states(since, until)) {
    stats.merge(all.subspan(place.offset, place.size));
  }
  return packed(stats);
}

const bytes nothing = packed(day_parts(memory));

std::vector<int> all_quarters() {
  std::vector<int> all(day_parts::quarters);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

bytes replaced(const bytes& before, const std::vector<int>& gone, const bytes& fresh, bool spans) {
  return packed(vrm::replaced_parts(before, gone, fresh, spans));
}

TEST(DayParts, AddUpToAnyTimeOfTheDay) {
  for (const auto& [count, first, last] : {std::array{5, 0, 96}, std::array{3000, 0, 96},
                                           std::array{4000, 37, 81}, std::array{4000, 92, 96}}) {
    const auto calls = some_calls(count, first, last);
    const bytes without = parts_of(calls);
    const bytes with = replaced(nothing, all_quarters(), without, true);
    EXPECT_EQ(count > 2000, with.size() > without.size())
        << "spans are made where they are worth it";
    for (int since = 0; since < 96; since += since < 8 ? 1 : 11) {
      for (int until = since; until <= 96; until += until < 88 ? 5 : 1) {
        const bytes expected = direct(calls, since, until);
        ASSERT_EQ(by_parts(without, since, until), expected) << since << " to " << until;
        ASSERT_EQ(by_parts(with, since, until), expected) << since << " to " << until;
      }
    }
  }
}

TEST(DayParts, TakeTwoStatesForADayThatIsCutAtAnHour) {
  const bytes with = replaced(nothing, all_quarters(), parts_of(some_calls(3000, 0, 96)), true);
  const vrm::parts_directory directory(with);
  EXPECT_EQ(directory.states(0, 20).size(), 1U);
  EXPECT_EQ(directory.states(20, 96).size(), 1U);
  EXPECT_EQ(directory.states(0, 23).size(), 4U);
  EXPECT_EQ(directory.states(21, 96).size(), 4U);
  for (const int midnight : {10, 14, 38, 41, 45, 54, 58, 61, 70, 73, 74, 78, 82}) {
    EXPECT_EQ(directory.states(0, midnight).size(), 1U) << "where some zone's day ends";
    EXPECT_EQ(directory.states(midnight, 96).size(), 1U) << "and begins";
  }
}

/// As parts were packed with spans of whole hours alone.
bytes with_hours_alone(const std::vector<timed_call>& calls) {
  const bytes without = parts_of(calls);
  const vrm::parts_directory directory(without);
  const std::size_t head = 3 + (5 * directory.parts().size());
  const auto hour = [&](int number, bool until) {
    return until ? direct(calls, 0, 4 * number) : direct(calls, 4 * number, 96);
  };
  bytes result(without.begin(), without.begin() + static_cast<std::ptrdiff_t>(head));
  result[2] = std::byte{1};
  for (const bool until : {true, false}) {
    for (int number = 1; number < 24; ++number) {
      const std::size_t size = hour(number, until).size();
      for (unsigned shift = 0; shift < 32; shift += 8) {
        result.push_back(static_cast<std::byte>(size >> shift));
      }
    }
  }
  for (const bool until : {true, false}) {
    for (int number = 1; number < 24; ++number) {
      const bytes span = hour(number, until);
      result.insert(result.end(), span.begin(), span.end());
    }
    if (until) {
      result.insert(result.end(), without.begin() + static_cast<std::ptrdiff_t>(head),
                    without.end());
    }
  }
  return result;
}

TEST(DayParts, AreReadAndReplacedWithSpansOfWholeHoursAlone) {
  const auto calls = some_calls(3000, 0, 96);
  const bytes parts = with_hours_alone(calls);
  for (const auto& [since, until] : {std::array{0, 20}, std::array{0, 73}, std::array{73, 96},
                                     std::array{76, 96}, std::array{10, 30}, std::array{0, 96}}) {
    EXPECT_EQ(by_parts(parts, since, until), direct(calls, since, until)) << since << " " << until;
  }
  EXPECT_EQ(vrm::parts_directory(parts).states(0, 73).size(), 2U);
  EXPECT_EQ(replaced(parts, {}, nothing, true),
            replaced(nothing, all_quarters(), parts_of(calls), true));
}

TEST(DayParts, HaveSomeReplacedAsIfTheyHadAllBeenMadeAnew) {
  const auto before = some_calls(3000, 0, 96);
  auto after = before;
  std::erase_if(after, [](const timed_call& one) { return one.quarter == 30; });
  const std::vector<int> gone = {30, 31, 90};
  std::vector<timed_call> fresh = some_calls(40, 90, 91);
  std::erase_if(after,
                [](const timed_call& one) { return one.quarter == 31 || one.quarter == 90; });
  after.insert(after.end(), fresh.begin(), fresh.end());
  for (const bool spans : {false, true}) {
    const bytes old = replaced(nothing, all_quarters(), parts_of(before), spans);
    EXPECT_EQ(replaced(old, gone, parts_of(fresh), spans),
              replaced(nothing, all_quarters(), parts_of(after), spans));
  }
}

TEST(DayParts, MergeAsTheirCallsWould) {
  const auto one = some_calls(300, 10, 50);
  const auto other = some_calls(400, 30, 96);
  auto both = one;
  both.insert(both.end(), other.begin(), other.end());
  day_parts merged(memory);
  merged.merge(parts_of(one));
  day_parts second(memory);
  second.merge(parts_of(other));
  merged.merge(second);
  EXPECT_EQ(packed(merged), parts_of(both));
}

TEST(DayParts, RefuseWhatIsNone) {
  const bytes good = replaced(nothing, all_quarters(), parts_of(some_calls(3000, 0, 96)), true);
  const auto state_of = [](const bytes& wrong) -> std::string {
    try {
      day_parts parts(memory);
      parts.merge(wrong);
    } catch (const vrm::error& e) {
      return std::string(e.state().text());
    }
    return "none";
  };
  bytes wrong = good;
  wrong.resize(wrong.size() / 2);
  EXPECT_EQ(state_of(wrong), "22P03");
  for (const std::size_t place : {0U, 1U, 2U, 3U, 8U}) {
    wrong = good;
    wrong[place] = std::byte{200};
    EXPECT_EQ(state_of(wrong), "22P03") << place;
  }
  EXPECT_EQ(state_of({}), "22P03");
}

}  // namespace
