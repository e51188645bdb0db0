// What evaluator_metrics may look like, and where an error says that they do not.
#include "core/testing/evaluation.h"

#include <string>

#include <gtest/gtest.h>

#include "core/platform/error.h"

namespace vrm {
namespace {

std::string refusal(std::string_view document) {
  try {
    (void)read_evaluation(document);
  } catch (const error& refused) {
    EXPECT_EQ(refused.state(), sqlstate("22023"));
    EXPECT_FALSE(refused.hint().empty());
    return refused.detail();
  }
  return "";
}

TEST(evaluation, an_array_of_names_decides_nothing) {
  const evaluation read = read_evaluation(R"(["task_completion", "politeness"])");
  ASSERT_EQ(read.metrics.size(), 2U);
  EXPECT_EQ(read.metrics[1].metric, "politeness");
  EXPECT_FALSE(read.metrics[1].decides);
  EXPECT_TRUE(read.checks.empty());
}

TEST(evaluation, an_object_says_what_decides) {
  const evaluation read = read_evaluation(R"({
      "metrics": ["tone", {"metric": "solved", "decides": true, "threshold": 0.8, "weight": 2}],
      "threshold": 0.75, "of the application": [1]})");
  ASSERT_EQ(read.metrics.size(), 2U);
  EXPECT_EQ(read.metrics[0].metric, "tone");
  EXPECT_TRUE(read.metrics[1].decides);
  EXPECT_EQ(read.metrics[1].threshold, 0.8);
  EXPECT_EQ(read.metrics[1].weight, 2);
  EXPECT_EQ(read.threshold, 0.75);
}

TEST(evaluation, checks_of_every_kind) {
  const evaluation read = read_evaluation(R"({"checks": [
      {"check": "said", "text": "goodbye"},
      {"check": "not_said", "pattern": "sorry|unfortunately", "by": "anybody", "name": "no excuses"},
      {"check": "tool_called", "tool": "book", "arguments": {"day": "Thursday"}},
      {"check": "tool_not_called", "tool": "refund"},
      {"check": "tool_order", "tools": ["find", "book"]},
      {"check": "ended_within", "seconds": 90.5},
      {"check": "answer_time", "p95": 1500},
      {"check": "no_interruption"}]})");
  ASSERT_EQ(read.checks.size(), 8U);
  EXPECT_EQ(read.checks[0].name, "said: goodbye");
  EXPECT_EQ(read.checks[1].name, "no excuses");
  EXPECT_TRUE(read.checks[1].is_pattern);
  EXPECT_EQ(read.checks[1].by, check::voice::anybody);
  EXPECT_EQ(read.checks[2].arguments, R"({"day": "Thursday"})");
  EXPECT_EQ(read.checks[4].name, "tool_order: find, book");
  EXPECT_EQ(read.checks[5].most, 90'500);
  EXPECT_EQ(read.checks[6].most, 1500);
  EXPECT_EQ(read.checks[7].name, "no_interruption");
}

TEST(evaluation, null_and_empty_documents_judge_nothing) {
  for (const char* document : {"null", "[]", "{}", R"({"checks": null, "metrics": null})"}) {
    EXPECT_TRUE(read_evaluation(document).checks.empty()) << document;
  }
}

TEST(evaluation, errors_name_the_place) {
  EXPECT_EQ(refusal("7"), "must be an array or an object");
  EXPECT_EQ(refusal(R"(["a", 7])"), "/1: must be an object");
  EXPECT_EQ(refusal(R"([""])"), "/0: must be the name or id of a metric, of 1 to 200 characters");
  EXPECT_EQ(refusal(R"({"metrics": {}})"), "/metrics: must be an array");
  EXPECT_EQ(refusal(R"({"metrics": [{}]})"), "/metrics/0/metric: is required");
  EXPECT_EQ(refusal(R"({"metrics": [{"metric": "a", "decides": 1}]})"),
            "/metrics/0/decides: must be true or false");
  EXPECT_EQ(refusal(R"({"metrics": [{"metric": "a", "weight": 0}]})"),
            "/metrics/0/weight: must be a number from 0.001 to 1000");
  EXPECT_EQ(refusal(R"({"metrics": [{"metric": "a", "threshold": "high"}]})"),
            "/metrics/0/threshold: must be a number");
  EXPECT_EQ(refusal(R"({"threshold": 1.01})"), "/threshold: must be a number from 0 to 1");
  EXPECT_EQ(refusal(R"({"checks": [{"check": "no_interruption"}, {"check": "sung"}]})")
                .starts_with("/checks/1/check: must be said, not_said,"),
            true);
  EXPECT_EQ(refusal(R"({"checks": [{"check": "said"}]})"),
            "/checks/0/text: must be there, or else a pattern");
  EXPECT_EQ(refusal(R"({"checks": [{"check": "said", "text": "a", "pattern": "b"}]})"),
            "/checks/0/text: must be there, or else a pattern");
  EXPECT_EQ(refusal(R"({"checks": [{"check": "said", "text": "a", "by": "me"}]})"),
            "/checks/0/by: must be agent, customer or anybody");
  EXPECT_EQ(
      refusal(R"({"checks": [{"check": "said", "pattern": ")" + std::string(1001, 'a') + R"("}]})"),
      "/checks/0/pattern: must be a string of 1 to 1000 characters");
  EXPECT_EQ(refusal(R"({"checks": [{"check": "tool_called", "tool": "a", "arguments": []}]})"),
            "/checks/0/arguments: must be an object");
  EXPECT_EQ(refusal(R"({"checks": [{"check": "tool_order", "tools": ["a"]}]})"),
            "/checks/0/tools: must be an array of at least two");
  EXPECT_EQ(refusal(R"({"checks": [{"check": "tool_order", "tools": ["a", 2]}]})"),
            "/checks/0/tools/1: must be a string of 1 to 200 characters");
  EXPECT_EQ(refusal(R"({"checks": [{"check": "ended_within"}]})"),
            "/checks/0/seconds: is required");
  EXPECT_EQ(refusal(R"({"checks": [{"check": "answer_time", "p95": -1}]})"),
            "/checks/0/p95: must be a number from 0 to 86400000");
}

TEST(evaluation, characters_are_counted_not_bytes) {
  const auto named = [](std::size_t times) {
    std::string name;
    for (std::size_t i = 0; i < times; ++i) name += "\u00fc";
    return name;
  };
  EXPECT_EQ(read_evaluation(R"([")" + named(200) + R"("])").metrics[0].metric, named(200));
  EXPECT_EQ(refusal(R"([")" + named(201) + R"("])"),
            "/0: must be the name or id of a metric, of 1 to 200 characters");
  const auto pattern = [&](std::size_t times) {
    return R"({"checks": [{"check": "said", "pattern": ")" + named(times) + R"("}]})";
  };
  EXPECT_EQ(read_evaluation(pattern(1000)).checks[0].text, named(1000));
  EXPECT_EQ(refusal(pattern(1001)), "/checks/0/pattern: must be a string of 1 to 1000 characters");
  const auto tools = [&](std::size_t times) {
    return R"({"checks": [{"check": "tool_order", "tools": ["a", ")" + named(times) + R"("]}]})";
  };
  EXPECT_EQ(read_evaluation(tools(200)).checks[0].tools[1], named(200));
  EXPECT_EQ(refusal(tools(201)), "/checks/0/tools/1: must be a string of 1 to 200 characters");
}

TEST(evaluation, a_hundred_checks_are_enough) {
  std::string many = R"({"checks": [{"check": "no_interruption"})";
  for (int i = 0; i < 100; ++i) many += R"(, {"check": "no_interruption"})";
  EXPECT_EQ(refusal(many + "]}"), "/checks: must have at most 100 elements");
}

TEST(evaluation, names_are_not_cut_within_a_character) {
  const evaluation read = read_evaluation(R"({"checks": [{"check": "said", "text": ")" +
                                          std::string(79, 'a') + "\xC3\xA4" + R"("}]})");
  EXPECT_EQ(read.checks[0].name, "said: " + std::string(79, 'a') + "...");
}

}  // namespace
}  // namespace vrm
