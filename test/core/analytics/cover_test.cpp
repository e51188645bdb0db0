// What a time is covered by: each moment once, in its bucket, and by nothing that has changed.
#include "core/analytics/cover.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace {

using vrm::changed_quarter;
using vrm::cover;
using vrm::moment;

constexpr moment quarter = moment{15} * 60 * 1'000'000;
constexpr moment day = 96 * quarter;

/// Checks that pieces follow each other from the first edge to the last, each within its bucket.
void check_whole(const std::vector<moment>& edges, const cover& found) {
  std::vector<std::pair<moment, moment>> pieces;
  const auto within = [&](std::int32_t bucket, moment since, moment until) {
    ASSERT_LE(edges[static_cast<std::size_t>(bucket) - 1], since);
    ASSERT_GE(edges[static_cast<std::size_t>(bucket)], until);
    pieces.emplace_back(since, until);
  };
  for (const auto& range : found.ranges) {
    within(range.bucket, range.first * day, range.last * day);
  }
  for (const auto& part : found.parts) {
    within(part.bucket, (part.day * day) + (part.since * quarter),
           (part.day * day) + (part.until * quarter));
  }
  for (const auto& span : found.spans) pieces.emplace_back(span.since, span.until);
  std::ranges::sort(pieces);
  moment at = edges.front();
  for (const auto& [since, until] : pieces) {
    ASSERT_EQ(since, at);
    ASSERT_LT(since, until);
    at = until;
  }
  ASSERT_EQ(at, edges.back());
}

void check_unchanged(const std::vector<changed_quarter>& changes, const cover& found) {
  for (const auto& change : changes) {
    for (const auto& range : found.ranges) {
      const bool counts = change.quarter != changed_quarter::parts_alone;
      ASSERT_FALSE(counts && range.first <= change.day && change.day < range.last);
    }
    for (const auto& part : found.parts) {
      ASSERT_FALSE(part.day == change.day && (change.quarter < 0 || (part.since <= change.quarter &&
                                                                     change.quarter < part.until)));
    }
  }
}

TEST(Cover, HasEachMomentOnceAndNothingThatHasChanged) {
  std::mt19937_64 random(1);
  const auto below = [&](std::int64_t most) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most));
  };
  for (int round = 0; round < 3000; ++round) {
    std::set<moment> places;
    const moment unit = round % 3 == 0 ? 1 : round % 3 == 1 ? quarter : day;
    for (int i = 0; i < 2 + (round % 9); ++i)
      places.insert(((below(200) - 70) * day) + (below(3) * unit));
    if (places.size() < 2) continue;
    const std::vector<moment> edges(places.begin(), places.end());
    std::vector<changed_quarter> changes;
    changes.reserve(7);
    for (int i = 0; i < round % 7; ++i) {
      changes.push_back({.day = static_cast<std::int32_t>(below(200) - 70),
                         .quarter = static_cast<std::int32_t>(below(98) - 2)});
    }
    std::ranges::sort(changes, {}, [](const auto& one) { return std::pair(one.day, one.quarter); });
    const cover found(edges, changes);
    check_whole(edges, found);
    check_unchanged(changes, found);
  }
}

TEST(Cover, TakesTheLargestThatIsReady) {
  const std::vector<moment> edges = {-day, 40 * day};  // the last of December to 9 February
  const cover whole(edges, {});
  ASSERT_EQ(whole.ranges.size(), 3U);
  EXPECT_TRUE(whole.parts.empty() && whole.spans.empty());
  EXPECT_FALSE(whole.ranges[0].months || whole.ranges[2].months);
  EXPECT_TRUE(whole.ranges[1].months && whole.ranges[1].first == 0 && whole.ranges[1].last == 31);

  const std::vector<changed_quarter> changes = {{.day = 3, .quarter = 95}};
  const cover changed(edges, changes);
  ASSERT_EQ(changed.ranges.size(), 2U);  // no month any more
  EXPECT_EQ(changed.ranges[0].last, 3);
  EXPECT_EQ(changed.ranges[1].first, 4);
  ASSERT_EQ(changed.parts.size(), 1U);
  EXPECT_EQ(changed.parts[0].until, 95);
  ASSERT_EQ(changed.spans.size(), 1U);
  EXPECT_EQ(changed.spans[0].until, 4 * day);
}

TEST(Cover, ReadsQuartersThatAreNotMadeFromFactsAndTheirDayAsItIs) {
  const std::vector<changed_quarter> changes = {
      {.day = 3, .quarter = changed_quarter::parts_alone}};
  const cover all(std::vector<moment>{0, 10 * day}, changes);
  EXPECT_TRUE(all.spans.empty());
  const cover half(std::vector<moment>{0, (3 * day) + (7 * quarter)}, changes);
  ASSERT_EQ(half.spans.size(), 1U);
  EXPECT_EQ(half.spans[0].since, 3 * day);
}

TEST(Cover, ReachesToTheEndsOfTime) {
  const cover all(std::vector<moment>{vrm::no_begin, vrm::no_end}, {});
  ASSERT_EQ(all.ranges.size(), 1U);
  EXPECT_TRUE(all.ranges[0].months);
  const cover until_now(std::vector<moment>{vrm::no_begin, (31 * day) + quarter + 1}, {});
  ASSERT_EQ(until_now.ranges.size(), 1U);
  EXPECT_EQ(until_now.ranges[0].last, 31);
  EXPECT_EQ(until_now.parts.size(), 1U);
  EXPECT_EQ(until_now.spans.size(), 1U);
  const cover from_now(std::vector<moment>{quarter + 1, vrm::no_end}, {});
  EXPECT_EQ(from_now.ranges.size(), 2U);  // days to the end of the month, and months
  EXPECT_TRUE(cover(std::vector<moment>{vrm::no_end, vrm::no_end}, {}).ranges.empty());
}

TEST(Cover, JoinsSpansOfFactsAcrossBuckets) {
  std::vector<moment> edges;
  for (moment i = 0; i <= 900; ++i) edges.push_back(i * 1'000'000);
  const cover minutes(edges, {});
  ASSERT_EQ(minutes.spans.size(), 1U);
  EXPECT_EQ(minutes.spans[0].until, 900 * moment{1'000'000});
}

}  // namespace
