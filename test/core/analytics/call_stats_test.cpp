// Call statistics against plain sorting and counting, and the laws that make any plan give the
// same bytes: order, grouping and the way through storage change nothing.
#include "core/analytics/call_stats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "core/platform/error.h"

namespace {

using vrm::call;
using vrm::call_stats;
using vrm::duration_histogram;

std::pmr::memory_resource* const memory = std::pmr::new_delete_resource();

using bytes = std::vector<std::byte>;

/// 32 random bits a time, as the type says.
using random_bits = std::independent_bits_engine<std::mt19937, 32, std::uint32_t>;

bytes packed(const call_stats& stats) {
  bytes out(stats.packed_size());
  stats.pack(out.data());
  return out;
}

call_stats unpacked(const bytes& state) {
  call_stats stats(memory);
  stats.merge(std::span(state));
  stats.check_plausible();
  return stats;
}

call_stats stats_of(std::span<const call> calls) {
  call_stats stats(memory);
  for (const call& one : calls) stats.add(one);
  return stats;
}

/// Calls of every kind, durations log-normal as in life, customers that repeat.
std::vector<call> some_calls(std::size_t count, unsigned seed, int customers = 5000) {
  random_bits random(seed);
  std::lognormal_distribution<double> seconds(std::log(165.0), 0.6);
  std::uniform_int_distribution<int> percent(0, 99);
  std::uniform_int_distribution<int> customer(1, customers);
  std::vector<call> calls(count);
  for (call& one : calls) {
    one.status = static_cast<vrm::call_status>(std::min(percent(random) / 8, 5));
    one.sentiment = static_cast<vrm::call_sentiment>(percent(random) % 4);
    one.bad = percent(random) == 0;
    if (percent(random) < 95) one.duration = std::llround(seconds(random) * 1000);
    if (percent(random) < 80) one.actions = percent(random) / 10;
    if (percent(random) < 90) one.customer = static_cast<std::uint64_t>(customer(random));
  }
  return calls;
}

std::vector<std::int64_t> sorted_durations(std::span<const call> calls) {
  std::vector<std::int64_t> durations;
  for (const call& one : calls) {
    if (one.duration && one.status == vrm::call_status::completed) {
      durations.push_back(*one.duration);
    }
  }
  std::ranges::sort(durations);
  return durations;
}

// --- buckets ------------------------------------------------------------------------------------

TEST(Histogram, HasItsDurationWithinTheBucketAndTheBound) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const auto duration = static_cast<std::int64_t>(random() >> (22 + random() % 42));
    const auto range = duration_histogram::range_of(duration_histogram::bucket_of(duration));
    ASSERT_LE(range.least, duration);
    ASSERT_GE(range.most, duration);
    const double middle = (static_cast<double>(range.least) + static_cast<double>(range.most)) / 2;
    ASSERT_LE(std::abs(middle - static_cast<double>(duration)),
              0.0005 * static_cast<double>(duration));
  }
}

TEST(Histogram, HasBucketsThatFollowEachOther) {
  for (duration_histogram::bucket b = 1; b < duration_histogram::buckets; ++b) {
    ASSERT_EQ(duration_histogram::range_of(b - 1).most + 1, duration_histogram::range_of(b).least);
    ASSERT_EQ(duration_histogram::bucket_of(duration_histogram::range_of(b).least), b);
  }
}

TEST(Histogram, CountsTheSameAsAListAndAsAnArray) {
  random_bits random(2);
  for (const int kinds : {1, 511, 512, 513, 900}) {
    duration_histogram histogram(memory);
    std::map<duration_histogram::bucket, std::uint64_t> expected;
    for (int i = 0; i < 2000; ++i) {
      const auto bucket =
          (random() % static_cast<unsigned>(kinds)) * 2654435761U % duration_histogram::buckets;
      histogram.add(bucket);
      ++expected[bucket];
    }
    std::map<duration_histogram::bucket, std::uint64_t> found;
    histogram.each([&](auto bucket, auto count) { found[bucket] += count; });
    EXPECT_EQ(found, expected) << kinds;
  }
}

// --- distinct customers -------------------------------------------------------------------------

TEST(HyperLogLog, IsExactUpTo256) {
  vrm::hyperloglog customers(memory);
  for (std::uint64_t i = 1; i <= 256; ++i) {
    customers.add(vrm::mix(i));
    customers.add(vrm::mix(i));
    ASSERT_EQ(customers.estimate(), static_cast<std::int64_t>(i));
  }
}

TEST(HyperLogLog, IsCloseBeyond) {
  vrm::hyperloglog customers(memory);
  for (std::uint64_t i = 1; i <= 1'000'000; ++i) {
    customers.add(vrm::mix(i));
    if (i % 997 == 0) {
      const double error = static_cast<double>(customers.estimate()) / static_cast<double>(i) - 1;
      ASSERT_LT(std::abs(error), 5 * 0.0163) << i;  // five standard errors
    }
  }
}

TEST(HyperLogLog, FoldsExactHashesIntoTheSameRegistersWhereverThatHappens) {
  vrm::hyperloglog one_by_one(memory);
  for (std::uint64_t i = 1; i <= 600; ++i) one_by_one.add(vrm::mix(i));
  for (const std::uint64_t first : {1U, 100U, 256U, 257U, 500U}) {  // exact or folded, each side
    vrm::hyperloglog left(memory);
    vrm::hyperloglog right(memory);
    for (std::uint64_t i = 1; i <= first; ++i) left.add(vrm::mix(i));
    for (std::uint64_t i = 600; i > first / 2; --i) right.add(vrm::mix(i));  // some are in both
    right.merge(left);
    left.merge(right);
    EXPECT_TRUE(std::ranges::equal(right.dense(), one_by_one.dense())) << first;
    EXPECT_TRUE(std::ranges::equal(left.dense(), one_by_one.dense())) << first;
  }
}

TEST(HyperLogLog, HasAnEstimateWhateverItsRegisters) {
  const auto estimate = [](std::uint8_t value) {
    std::array<std::uint8_t, vrm::hyperloglog::registers> all{};
    all.fill(value);
    vrm::hyperloglog customers(memory);
    customers.merge(all);
    return customers.estimate();
  };
  EXPECT_EQ(estimate(0), 0);
  // registers that are all the same: m * 2^value / (2 ln 2)
  EXPECT_EQ(estimate(20), std::llround(4096 * std::exp2(20) / (2 * std::log(2))));
  EXPECT_EQ(estimate(vrm::hyperloglog::highest), std::int64_t{1} << 62);
}

TEST(HyperLogLog, HashesTextAlikeEverywhere) {
  EXPECT_EQ(vrm::stable_hash(""), vrm::mix(0xCBF29CE484222325ULL));
  EXPECT_EQ(vrm::stable_hash("a"), vrm::mix(0xAF63DC4C8601EC8CULL));  // published FNV-1a of "a"
  EXPECT_NE(vrm::stable_hash("customer1@example.com"), vrm::stable_hash("customer2@example.com"));
}

// --- figures against an oracle ------------------------------------------------------------------

TEST(CallStats, CountsWhatIsThere) {
  const auto calls = some_calls(20'000, 3, 200);
  const call_stats stats = stats_of(calls);
  EXPECT_EQ(stats.calls(), calls.size());
  const auto failed = std::ranges::count(calls, vrm::call_status::failed, &call::status);
  EXPECT_EQ(stats.calls(vrm::call_status::failed), static_cast<std::uint64_t>(failed));
  const auto neutral = std::ranges::count(calls, vrm::call_sentiment::neutral, &call::sentiment);
  EXPECT_EQ(stats.calls(vrm::call_sentiment::neutral), static_cast<std::uint64_t>(neutral));
  std::int64_t actions = 0;
  std::set<std::uint64_t> customers;
  for (const call& one : calls) {
    actions += one.actions.value_or(0);
    if (one.customer) customers.insert(*one.customer);
  }
  EXPECT_EQ(stats.actions(), actions);
  EXPECT_EQ(stats.distinct_customers(), static_cast<std::int64_t>(customers.size()));
  EXPECT_EQ(stats.bad_calls(),
            static_cast<std::uint64_t>(std::ranges::count(calls, true, &call::bad)));
}

TEST(CallStats, HasExactMomentsAndEnds) {
  const auto calls = some_calls(20'000, 4);
  const auto durations = sorted_durations(calls);
  const call_stats stats = stats_of(calls);
  long double sum = 0;
  for (const auto d : durations) sum += static_cast<long double>(d);
  const auto n = static_cast<long double>(durations.size());
  long double squares = 0;
  for (const auto d : durations) squares += (d - sum / n) * (d - sum / n);
  EXPECT_EQ(stats.average_duration(), std::llround(sum * 1000 / n));
  EXPECT_EQ(stats.duration_deviation(), std::llround(std::sqrt(squares / (n - 1)) * 1000));
  EXPECT_EQ(stats.shortest_duration(), durations.front() * 1000);
  EXPECT_EQ(stats.longest_duration(), durations.back() * 1000);
}

TEST(CallStats, HasQuantilesWithinTheBound) {
  for (const std::size_t count : {1U, 2U, 3U, 100U, 30'000U}) {
    const auto calls = some_calls(count * 6, static_cast<unsigned>(count));
    const auto durations = sorted_durations(calls);
    const call_stats stats = stats_of(calls);
    for (int permille = 0; permille <= 1000 && !durations.empty(); ++permille) {
      const double fraction = permille / 1000.0;
      const auto rank = static_cast<std::size_t>(
          std::max(1.0, std::ceil(fraction * static_cast<double>(durations.size()))));
      const auto exact = static_cast<double>(durations[rank - 1] * 1000);
      const auto found = static_cast<double>(*stats.duration_quantile(fraction));
      ASSERT_LE(std::abs(found - exact), 0.0005 * exact) << count << " " << fraction;
      ASSERT_GE(found, static_cast<double>(*stats.shortest_duration()));
      ASSERT_LE(found, static_cast<double>(*stats.longest_duration()));
    }
  }
}

TEST(CallStats, HasNoQuantileBeyondItsEnds) {
  call_stats stats(memory);
  for (int i = 0; i < 10; ++i) stats.add_duration(100'001);  // of a bucket from 99968 to 100031
  EXPECT_EQ(stats.duration_quantile(0.5), 100'001'000);
  EXPECT_EQ(stats.duration_rank(100'000'999), 0);
  EXPECT_EQ(stats.duration_rank(100'001'000), 1);
  stats.add_duration(100'003);
  EXPECT_EQ(stats.duration_quantile(0), 100'001'000);
  EXPECT_EQ(stats.duration_quantile(1), 100'003'000);
}

TEST(CallStats, RoundsTheAverageHalfUp) {
  call_stats stats(memory);
  for (int i = 0; i < 15; ++i) stats.add_duration(0);
  stats.add_duration(1);
  EXPECT_EQ(stats.average_duration(), 63);  // of 62.5 microseconds
}

TEST(CallStats, HasExactQuantilesOfWholeSecondsUpTo1048) {
  auto calls = some_calls(30'000, 5);
  for (call& one : calls) {
    if (one.duration) one.duration = std::min<std::int64_t>(*one.duration / 1000, 1048) * 1000;
  }
  const auto durations = sorted_durations(calls);
  const call_stats stats = stats_of(calls);
  for (std::size_t rank = 1; rank <= durations.size(); rank += 7) {
    const double fraction =
        (static_cast<double>(rank) - 0.5) / static_cast<double>(durations.size());
    ASSERT_EQ(stats.duration_quantile(fraction), durations[rank - 1] * 1000);
  }
}

TEST(CallStats, RanksDurations) {
  const auto calls = some_calls(30'000, 6);
  const auto durations = sorted_durations(calls);
  const call_stats stats = stats_of(calls);
  for (const std::int64_t limit : {0, 1000, 60'000, 165'000, 600'000, 3'600'000}) {
    const auto share = [&](double slack) {
      const auto bound = static_cast<std::int64_t>(static_cast<double>(limit) * slack);
      return static_cast<double>(std::ranges::upper_bound(durations, bound) - durations.begin()) /
             static_cast<double>(durations.size());
    };
    EXPECT_GE(stats.duration_rank(limit * 1000), share(0.999)) << limit;
    EXPECT_LE(stats.duration_rank(limit * 1000), share(1.001)) << limit;
  }
}

TEST(CallStats, OfNothingAreZeroAndUnknown) {
  const call_stats stats(memory);
  EXPECT_EQ(stats.calls(), 0U);
  EXPECT_EQ(stats.distinct_customers(), 0);
  EXPECT_FALSE(stats.success_rate() || stats.average_duration() || stats.duration_deviation() ||
               stats.duration_quantile(0.5) || stats.duration_rank(0) || stats.longest_duration());
  EXPECT_EQ(packed(unpacked(packed(stats))), packed(stats));
}

TEST(CallStats, TakesDurationsOfCompletedCallsOnly) {
  call_stats stats(memory);
  stats.add({.status = vrm::call_status::failed, .duration = 1000});
  EXPECT_FALSE(stats.average_duration());
  stats.add({.status = vrm::call_status::completed, .duration = 3000});
  EXPECT_EQ(stats.average_duration(), 3'000'000);
}

TEST(CallStats, CopesWithTheLongestDurations) {
  call_stats stats(memory);
  for (int i = 0; i < 3; ++i) stats.add_duration(duration_histogram::longest);
  EXPECT_EQ(stats.average_duration(), duration_histogram::longest * 1000);
  EXPECT_EQ(stats.duration_deviation(), 0);
  EXPECT_EQ(packed(unpacked(packed(stats))), packed(stats));
}

// --- laws ---------------------------------------------------------------------------------------

class Laws : public testing::TestWithParam<std::size_t> {};

TEST_P(Laws, NeitherOrderNorGroupingChangesAByte) {
  auto calls = some_calls(GetParam(), 7);
  const bytes expected = packed(stats_of(calls));
  random_bits random(8);
  for (int round = 0; round < 20; ++round) {
    std::ranges::shuffle(calls, random);
    std::vector<call_stats> parts;
    for (std::size_t at = 0; at < calls.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 400, calls.size() - at);
      parts.push_back(stats_of(std::span(calls).subspan(at, size)));
      at += size;
    }
    while (parts.size() > 1) {  // a random tree of merges, some by way of storage
      const std::size_t left = random() % parts.size();
      std::swap(parts[left], parts.back());
      call_stats part = std::move(parts.back());
      parts.pop_back();
      call_stats& other = parts[random() % parts.size()];
      if (random() % 2 == 0) {
        other.merge(part);
      } else {
        other.merge(std::span<const std::byte>(packed(part)));
      }
    }
    ASSERT_EQ(packed(parts.empty() ? call_stats(memory) : parts.front()), expected);
  }
}

TEST(BrokenSeconds, OneIsEnoughWhereverItIs) {
  const auto of = [](std::initializer_list<std::int64_t> durations) {
    call_stats stats(memory);
    for (const std::int64_t duration : durations) stats.add_duration(duration);
    return stats;
  };
  const bytes expected = packed(of({1500, 2000}));
  EXPECT_EQ(packed(of({2000, 1500})), expected);
  for (const bool broken_first : {false, true}) {
    call_stats merged = of({broken_first ? 1500 : 2000});
    merged.merge(of({broken_first ? 2000 : 1500}));
    EXPECT_EQ(packed(merged), expected);
  }
}

TEST_P(Laws, NothingIsNeutral) {
  const bytes expected = packed(stats_of(some_calls(GetParam(), 9)));
  call_stats left(memory);
  left.merge(unpacked(expected));
  call_stats right = unpacked(expected);
  right.merge(call_stats(memory));
  EXPECT_EQ(packed(left), expected);
  EXPECT_EQ(packed(right), expected);
}

INSTANTIATE_TEST_SUITE_P(OfCalls, Laws, testing::Values(0, 1, 2, 200, 300, 5000));

// --- hostile states -----------------------------------------------------------------------------

TEST(State, AddsUpToTheSameHoweverManyBucketsItHasAndHoweverOftenThatHappens) {
  random_bits random(7);
  // Alone it is a list, two of them one as well, more an array.
  for (const int spread : {400, 700, 5000, 1'000'000}) {
    call_stats merged(memory);
    call_stats all(memory);
    for (int state = 0; state < 4; ++state) {
      call_stats some(memory);
      for (int i = 0; i < 3000; ++i) {
        const auto duration =
            60'000 + static_cast<std::int64_t>(random() % static_cast<unsigned>(spread)) * 1000;
        some.add_duration(duration);
        all.add_duration(duration);
      }
      merged.merge(packed(some));
      ASSERT_EQ(packed(merged), packed(all)) << spread << ", " << state;
      ASSERT_EQ(merged.duration_quantile(0.95), all.duration_quantile(0.95)) << spread;
    }
  }
}

TEST(State, IsRefusedWhenCutOffOrLonger) {
  for (const std::size_t count : {0U, 3U, 500U}) {
    bytes state = packed(stats_of(some_calls(count, 10)));
    for (std::size_t size = 0; size < state.size(); size += 1 + size / 64) {
      const bytes cut(state.begin(), state.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_THROW(unpacked(cut), vrm::error) << size;
    }
    state.push_back(std::byte{0});
    EXPECT_THROW(unpacked(state), vrm::error);
  }
}

TEST(State, IsEitherRefusedWith22P03OrHasOneForm) {
  const bytes state = packed(stats_of(some_calls(400, 11, 100)));
  random_bits random(12);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    bytes hostile = state;
    for (unsigned flips = 1 + random() % 3; flips > 0; --flips) {
      hostile[random() % hostile.size()] = static_cast<std::byte>(random());
    }
    try {
      EXPECT_EQ(packed(unpacked(hostile)), hostile);
    } catch (const vrm::error& e) {
      EXPECT_EQ(e.state(), vrm::sqlstate("22P03"));
      EXPECT_FALSE(e.detail().empty());
      ++refused;
    }
  }
  EXPECT_GT(refused, 5'000);
}

TEST(State, CannotOverflow) {
  call_stats stats(memory);
  stats.add({.status = vrm::call_status::completed});
  bytes state = packed(stats);
  while (true) {  // doubles until there are too many calls
    call_stats doubled = unpacked(state);
    try {
      doubled.merge(unpacked(state));
    } catch (const vrm::error& e) {
      EXPECT_EQ(e.state(), vrm::sqlstate("22003"));
      EXPECT_EQ(unpacked(state).calls(), call_stats::most_calls);
      break;
    }
    state = packed(doubled);
  }
}

TEST(State, IsSmall) {
  EXPECT_LE(packed(stats_of(some_calls(1, 13))).size(), 60U);
  EXPECT_LE(packed(stats_of(some_calls(100'000, 14))).size(), 16'384U);
}

TEST(Json, HasEveryFigure) {
  call_stats stats(memory);
  stats.add({.status = vrm::call_status::completed,
             .sentiment = vrm::call_sentiment::positive,
             .duration = 165'000,
             .actions = 3,
             .customer = 1});
  EXPECT_EQ(stats.json(),
            R"({"calls":1,"queued":0,"running":0,"completed":1,"failed":0,"cancelled":0,)"
            R"("success_rate":1,"duration":{"calls":1,"average":165,"stddev":null,)"
            R"("min":165,"p50":165,"p95":165,"p99":165,"max":165},)"
            R"("sentiment":{"positive":1,"neutral":0,"negative":0},)"
            R"("actions":3,"customers":1,"bad":0})");
}

}  // namespace
