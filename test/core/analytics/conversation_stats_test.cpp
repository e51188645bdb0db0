// Figures of conversations: they add up in any order, and states of them are read back or refused.
#include "core/analytics/conversation_stats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/analytics/call_stats.h"

namespace {

using vrm::call_stats;
using vrm::conversation;
using bytes = std::vector<std::byte>;

bytes packed(const call_stats& stats) {
  bytes state(stats.packed_size());
  stats.pack(state.data());
  return state;
}

void add(call_stats& stats, const conversation& said) {
  stats.add({.status = vrm::call_status::completed});
  stats.add(said, true);
}

conversation random_conversation(std::mt19937& random, bytes& answers) {
  std::vector<std::int64_t> times(random() % 20);
  for (auto& time : times) time = static_cast<std::int64_t>(random() % 60'000);
  answers = vrm::pack_answers(times);
  conversation said{.agent_time = random() % 100'000,
                    .customer_time = random() % 100'000,
                    .interruptions = static_cast<std::int32_t>(random() % 3),
                    .tool_calls = 4,
                    .tool_failures = static_cast<std::int32_t>(random() % 5),
                    .answers = answers,
                    .outcome = static_cast<vrm::outcome_kind>(random() % 4)};
  if (random() % 2 == 0) {
    said.cost = random() % 1'000'000;
    said.currency = random() % 2 == 0 ? "USD" : "EUR";
  }
  return said;
}

TEST(Conversations, GiveTheSameBytesInAnyOrderAndFromAnyParts) {
  std::mt19937 random(7);  // NOLINT(bugprone-random-generator-seed): the same each time
  auto* const memory = std::pmr::get_default_resource();
  std::vector<bytes> answers(500);
  std::vector<conversation> all;
  all.reserve(answers.size());
  for (auto& of_call : answers) all.push_back(random_conversation(random, of_call));
  call_stats one_by_one(memory);
  for (const auto& said : all) add(one_by_one, said);
  const bytes expected = packed(one_by_one);
  EXPECT_EQ(expected[0], std::byte{2});

  for (int round = 0; round < 5; ++round) {
    std::ranges::shuffle(all, random);
    call_stats merged(memory);
    for (std::size_t from = 0; from < all.size();) {
      call_stats part(memory);
      const std::size_t to = std::min(all.size(), from + 1 + (random() % 100));
      for (; from < to; ++from) add(part, all[from]);
      if (random() % 2 == 0) {
        merged.merge(part);
      } else {
        merged.merge(packed(part));
      }
    }
    EXPECT_EQ(packed(merged), expected);
    EXPECT_NO_THROW(merged.check_plausible());
  }
}

TEST(Conversations, LeaveStatesWithoutAnyInVersionOne) {
  call_stats stats(std::pmr::get_default_resource());
  add(stats, {});
  EXPECT_EQ(packed(stats)[0], std::byte{1});
  call_stats other(std::pmr::get_default_resource());
  add(other, {.tool_calls = 1});
  other.merge(packed(stats));
  EXPECT_EQ(other.calls(), 2);
  EXPECT_EQ(packed(other)[0], std::byte{2});
}

TEST(Conversations, AreRefusedWhenTheirStateIsNone) {
  call_stats stats(std::pmr::get_default_resource());
  const bytes answers = vrm::pack_answers({5, 700, 700, 90'000});
  add(stats, {.agent_time = 1, .answers = answers, .cost = 5, .currency = "USD"});
  const bytes state = packed(stats);
  for (std::size_t size = 0; size < state.size(); ++size) {
    call_stats read(std::pmr::get_default_resource());
    EXPECT_THROW(read.merge(std::span(state).first(size)), vrm::error) << size;
  }
  bytes longer = state;
  longer.push_back(std::byte{0});
  call_stats read(std::pmr::get_default_resource());
  EXPECT_THROW(read.merge(longer), vrm::error);
}

TEST(AnsweringTimes, AreThoseOfPercentileDisc) {
  call_stats stats(std::pmr::get_default_resource());
  std::vector<std::int64_t> times;
  for (std::int64_t i = 1; i <= 999; ++i) times.push_back(i * 37 % 9'973);
  add(stats, {.agent_time = 1, .answers = vrm::pack_answers(times)});
  std::ranges::sort(times);
  for (const double fraction : {0.0, 0.1, 0.5, 0.95, 0.99, 1.0}) {
    const auto rank = std::max<std::size_t>(
        1, static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(times.size()))));
    const auto exact = static_cast<double>(times[rank - 1]);
    const auto found = static_cast<double>(*stats.conversations().answer_quantile(fraction));
    EXPECT_NEAR(found, exact, exact * 0.0005 + 0.5) << fraction;
  }
}

TEST(AnsweringTimes, ComeBackInOrder) {
  using times = std::vector<std::int64_t>;
  EXPECT_EQ(vrm::unpack_answers(vrm::pack_answers({700, 5, 90'000, 700})),
            (times{5, 700, 700, 90'000}));
  EXPECT_EQ(vrm::unpack_answers({}), times{});
  EXPECT_THROW((void)vrm::unpack_answers(bytes{std::byte{0x80}}), vrm::error);
}

TEST(AnsweringTimes, OfOneCallStayWithinAnIndexEntry) {
  std::vector<std::int64_t> times(25'000);
  for (std::size_t i = 0; i < times.size(); ++i)
    times[i] = static_cast<std::int64_t>(i * 7919 % 86'400'000);
  EXPECT_LE(vrm::pack_answers(times).size(), 1'800);
  EXPECT_TRUE(vrm::pack_answers({}).empty());
}

TEST(Cost, IsToldInOneCurrencyOnly) {
  call_stats stats(std::pmr::get_default_resource());
  EXPECT_FALSE(stats.conversations().cost().has_value());
  add(stats, {.cost = 1'500'000, .currency = "USD"});
  add(stats, {.cost = 500'000, .currency = "USD"});
  EXPECT_EQ(stats.conversations().cost(), 2'000'000);
  EXPECT_EQ(stats.conversations().currency(), "USD");
  add(stats, {.cost = 1, .currency = "EUR"});
  EXPECT_FALSE(stats.conversations().cost().has_value());
  EXPECT_EQ(stats.conversations().currency(), "");
}

TEST(Outcomes, CountForCompletedCalls) {
  call_stats stats(std::pmr::get_default_resource());
  add(stats, {.outcome = vrm::outcome_kind::contained});
  add(stats, {.outcome = vrm::outcome_kind::transferred});
  add(stats, {.outcome = vrm::outcome_kind::other});
  add(stats, {});
  stats.add({.outcome = vrm::outcome_kind::transferred}, false);
  EXPECT_DOUBLE_EQ(*stats.conversations().transfer_rate(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(*stats.conversations().containment_rate(), 1.0 / 3);
}

}  // namespace
