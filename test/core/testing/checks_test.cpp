// Rules that a transcript answers: when a call fails them, and what is said then.
#include "core/testing/checks.h"

#include <string>

#include <gtest/gtest.h>

namespace vrm {
namespace {

/// Texts occur as they are; a check and a call of a tool fit when they have the same number.
class plain_matching : public matching {
 public:
  explicit plain_matching(const std::vector<check>& checks) : checks_(checks) {}
  std::string problem(std::size_t index) override {
    return checks_[index].text == "(" ? "parentheses () not balanced" : "";
  }
  bool occurs(std::size_t index, std::string_view turn) override {
    return turn.find(checks_[index].text) != std::string_view::npos;
  }
  bool arguments_fit(std::size_t index, std::size_t tool) override { return index == tool; }

 private:
  const std::vector<check>& checks_;
};

/// Reasons why a call fails checks, one line each.
std::string reasons(const std::string& checks, const transcript& call) {
  const evaluation read = read_evaluation(R"({"checks": [)" + checks + "]}");
  plain_matching match(read.checks);
  std::string all;
  for (const failed_check& failed : failed_checks(read.checks, call, match)) {
    all += std::to_string(failed.index) + " " + failed.reason + "\n";
  }
  return all;
}

constexpr auto agent = check::voice::agent;
constexpr auto customer = check::voice::customer;

transcript sample() {
  return {.turns = {{.by = agent, .text = "Good morning", .begin = 0, .end = 900},
                    {.by = customer, .text = "A table, please", .begin = 1000, .end = 2500},
                    {.by = agent, .text = "It is booked. Goodbye", .begin = 3100, .end = 4000}},
          .tools = {"find", "book"},
          .duration = 5000};
}

TEST(checks, what_is_said_is_looked_for_in_the_turns_of_the_agent) {
  EXPECT_EQ(reasons(R"({"check": "said", "text": "Goodbye"})", sample()), "");
  EXPECT_EQ(reasons(R"({"check": "said", "text": "please"})", sample()), "0 was not said\n");
  EXPECT_EQ(reasons(R"({"check": "said", "text": "please", "by": "customer"})", sample()), "");
  EXPECT_EQ(reasons(R"({"check": "said", "text": "please", "by": "anybody"})", sample()), "");
}

TEST(checks, what_must_not_be_said_is_told_with_its_turn) {
  EXPECT_EQ(reasons(R"({"check": "not_said", "text": "sorry"})", sample()), "");
  EXPECT_EQ(reasons(R"({"check": "not_said", "text": "booked"})", sample()),
            "0 was said in turn 3\n");
}

TEST(checks, a_pattern_that_cannot_be_used_fails_with_its_problem) {
  EXPECT_EQ(reasons(R"({"check": "not_said", "pattern": "("})", sample()),
            "0 parentheses () not balanced\n");
}

TEST(checks, tools_are_called_with_arguments_or_not) {
  EXPECT_EQ(reasons(R"({"check": "tool_called", "tool": "book"})", sample()), "");
  EXPECT_EQ(reasons(R"({"check": "tool_called", "tool": "pay"})", sample()), "0 was not called\n");
  EXPECT_EQ(reasons(R"({"check": "tool_called", "tool": "find", "arguments": {"a": 1}})", sample()),
            "");
  EXPECT_EQ(reasons(R"({"check": "tool_called", "tool": "book", "arguments": {"a": 1}})", sample()),
            "0 was called, with other arguments\n");
  EXPECT_EQ(reasons(R"({"check": "tool_not_called", "tool": "book"})", sample()), "0 was called\n");
  EXPECT_EQ(
      reasons(R"({"check": "tool_not_called", "tool": "book", "arguments": {"a": 1}})", sample()),
      "");
}

TEST(checks, tools_come_in_order) {
  EXPECT_EQ(reasons(R"({"check": "tool_order", "tools": ["find", "book"]})", sample()), "");
  EXPECT_EQ(reasons(R"({"check": "tool_order", "tools": ["book", "find"]})", sample()),
            "0 find was not called after book\n");
  EXPECT_EQ(reasons(R"({"check": "tool_order", "tools": ["pay", "find"]})", sample()),
            "0 pay was not called\n");
}

TEST(checks, calls_end_in_time) {
  EXPECT_EQ(reasons(R"({"check": "ended_within", "seconds": 5})", sample()), "");
  EXPECT_EQ(reasons(R"({"check": "ended_within", "seconds": 4.999})", sample()),
            "0 took 5000 ms, at most 4999 were allowed\n");
  EXPECT_EQ(reasons(R"({"check": "ended_within", "seconds": 5})", {}),
            "0 how long the call took is not known\n");
}

TEST(checks, answers_come_in_time) {
  EXPECT_EQ(reasons(R"({"check": "answer_time", "p95": 600})", sample()), "");
  EXPECT_EQ(reasons(R"({"check": "answer_time", "p95": 599})", sample()),
            "0 p95 was 600 ms, at most 599 were allowed\n");
  EXPECT_EQ(reasons(R"({"check": "answer_time", "p95": 600})", {}),
            "0 no answering time is known\n");
}

TEST(checks, nobody_is_interrupted) {
  EXPECT_EQ(reasons(R"({"check": "no_interruption"})", sample()), "");
  transcript overlapping = sample();
  overlapping.turns[2].begin = 2400;
  EXPECT_EQ(reasons(R"({"check": "no_interruption"})", overlapping), "0 turn 2 was interrupted\n");
  transcript marked = sample();
  marked.turns[2].interrupted = true;
  EXPECT_EQ(reasons(R"({"check": "no_interruption"})", marked), "0 turn 3 was interrupted\n");
}

TEST(checks, each_failed_check_is_told) {
  EXPECT_EQ(reasons(R"({"check": "said", "text": "Goodbye"}, {"check": "tool_called", "tool": "a"},
                       {"check": "tool_called", "tool": "b"})",
                    sample()),
            "1 was not called\n2 was not called\n");
}

TEST(checks, answering_times_are_from_a_customer_to_the_agent) {
  const std::vector<spoken_turn> turns = {
      {.by = agent, .begin = 0},
      {.by = customer, .begin = 100},               // no end is known: from its beginning
      {.by = check::voice::anybody, .begin = 150},  // a tool, in between
      {.by = agent, .begin = 400},
      {.by = agent, .begin = 900},  // goes on
      {.by = customer, .begin = 1000, .end = 1500},
      {.by = customer, .begin = 1600, .end = 2000},
      {.by = agent, .begin = 1900},  // before the customer was done
      {.by = customer},
      {.by = agent, .begin = 5000},
  };
  EXPECT_EQ(answering_times(turns), (std::vector<std::int64_t>{300, 0}));
}

TEST(checks, nearest_rank_of_values) {
  EXPECT_FALSE(nearest_rank({}, 0.95).has_value());
  EXPECT_EQ(nearest_rank({7}, 0.95), 7);
  std::vector<std::int64_t> hundred;
  for (std::int64_t i = 100; i > 0; --i) hundred.push_back(i);
  EXPECT_EQ(nearest_rank(hundred, 0.95), 95);
  EXPECT_EQ(nearest_rank(hundred, 0), 1);
  EXPECT_EQ(nearest_rank(hundred, 1), 100);
}

}  // namespace
}  // namespace vrm
