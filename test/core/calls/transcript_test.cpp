// Figures of transcripts: who spoke, how long, and how long answers took.
#include "core/calls/transcript.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace {

using vrm::transcript_figures;
using vrm::turn;
using enum vrm::speaker_role;
using times = std::vector<std::int64_t>;

transcript_figures of(std::initializer_list<turn> turns) {
  transcript_figures figures;
  for (const turn& one : turns) figures.add(one);
  return figures;
}

/// Known to the millisecond.
turn spoken(vrm::speaker_role role, std::int64_t begin, std::optional<std::int64_t> end) {
  return {.role = role, .begin = begin, .end = end, .to_the_millisecond = true};
}

TEST(TalkTime, RunsToTheEndOfATurnOrElseToTheNextOne) {
  const auto figures = of({spoken(agent, 0, 1'400), spoken(customer, 2'000, std::nullopt),
                           spoken(agent, 5'000, 6'000)});
  EXPECT_EQ(figures.agent_time, 2'400);
  EXPECT_EQ(figures.customer_time, 3'000);
}

TEST(TalkTime, CountsNothingThatGoesBackwards) {
  const auto figures = of({spoken(agent, 3'000, std::nullopt), spoken(customer, 1'000, 500)});
  EXPECT_EQ(figures.agent_time, 0);
  EXPECT_EQ(figures.customer_time, 0);
  EXPECT_FALSE(figures.longest_gap.has_value());
}

TEST(TalkTime, CountsNoTimeThatRepeatsThatOfATurnInMilliseconds) {
  const turn repeated{.role = customer, .begin = 0};
  const auto figures = of({spoken(agent, 700, 1'300), repeated, spoken(agent, 9'000, 9'500)});
  EXPECT_EQ(figures.customer_time, 0);
  EXPECT_EQ(figures.agent_time, 1'100);
  EXPECT_EQ(of({repeated, spoken(agent, 9'000, 9'500)}).customer_time, 9'000);
}

TEST(Gap, IsTheSilenceBetweenTurnsWhoseEndIsKnown) {
  EXPECT_EQ(of({spoken(agent, 0, 1'400), spoken(customer, 2'000, 3'000)}).longest_gap, 600);
  EXPECT_EQ(of({spoken(agent, 0, std::nullopt), spoken(customer, 2'000, 3'000)}).longest_gap,
            2'000);
}

TEST(AnsweringTime, RunsFromTheEndOfTheCustomersLastTurnToTheAgents) {
  const auto figures = of({spoken(customer, 0, 900), spoken(customer, 1'000, 2'000),
                           spoken(agent, 2'750, 3'000), spoken(agent, 3'500, 4'000),
                           spoken(customer, 4'100, 5'000), spoken(agent, 5'300, 6'000)});
  EXPECT_EQ(figures.answers, (times{750, 300}));
}

TEST(AnsweringTime, LooksPastTools) {
  const auto figures =
      of({spoken(customer, 0, 1'000), spoken(tool, 1'100, 1'200), spoken(agent, 1'800, 2'000)});
  EXPECT_EQ(figures.answers, (times{800}));
  EXPECT_EQ(figures.turns, 2);
}

TEST(AnsweringTime, IsNoneWhereItIsNotKnownOrNobodyWaited) {
  EXPECT_TRUE(of({spoken(customer, 0, std::nullopt), spoken(agent, 900, 1'000)}).answers.empty());
  EXPECT_TRUE(of({spoken(customer, 0, 1'000), spoken(agent, 900, 1'200)}).answers.empty());
  turn rounded = spoken(agent, 2'000, 3'000);
  rounded.to_the_millisecond = false;
  EXPECT_TRUE(of({spoken(customer, 0, 1'000), rounded}).answers.empty());
}

TEST(Interruptions, AreCountedOnBothSides) {
  turn one = spoken(agent, 0, 100);
  turn other = spoken(customer, 100, 200);
  one.interrupted = other.interrupted = true;
  EXPECT_EQ(of({one, other, spoken(agent, 300, 400)}).interruptions, 2);
}

TEST(Words, AreWhatSpacesSeparate) {
  EXPECT_EQ(vrm::count_words(""), 0);
  EXPECT_EQ(vrm::count_words("  one,\ttwo\nthree "), 3);
}

}  // namespace
