// What a pattern is going to cost, and the ways to hide it.
#include "core/testing/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace vrm {
namespace {

std::string times(const std::string& text, int number) {
  std::string all;
  for (int i = 0; i < number; ++i) all += text;
  return all;
}

TEST(pattern, counts_what_may_be_left_out) {
  EXPECT_EQ(optional_parts("hello"), 0U);
  EXPECT_EQ(optional_parts("a?b*c+"), 2U);
  EXPECT_EQ(optional_parts("[0-9]{1,3} euros"), 1U);
  EXPECT_EQ(optional_parts("(a|)b"), 1U);
  EXPECT_EQ(optional_parts("a{2,}"), 1U);
  EXPECT_EQ(optional_parts("a{2}"), 0U);
  EXPECT_EQ(optional_parts(times("a?", 490)), 490U);
}

TEST(pattern, writes_repetitions_out) {
  EXPECT_EQ(optional_parts("(a?){100}"), 100U);
  EXPECT_EQ(optional_parts("((a?){10}b?){20}"), 220U);
  EXPECT_EQ(optional_parts("(a{0,20}){20}"), 400U);
  EXPECT_EQ(optional_parts("(a?){255}(b?){245}"), 500U);
  EXPECT_EQ(optional_parts(times("(a?){50}", 10)), 500U);
  EXPECT_EQ(optional_parts("(a|){100}"), 100U);
}

TEST(pattern, knows_that_simple_ranges_cost_little) {
  EXPECT_EQ(optional_parts(times(".{0,250}", 4)), 4U);
  EXPECT_EQ(optional_parts("(.{0,250})"), 1U);
}

TEST(pattern, is_not_misled) {
  EXPECT_EQ(optional_parts("(?#[)(a?){300}(?#])"), 300U);
  EXPECT_EQ(optional_parts("\\[(a?){300}]"), 300U);
  EXPECT_EQ(optional_parts("[]](a?){300}[]"), 300U);
  EXPECT_EQ(optional_parts("[[:alpha:]](a?){300}]"), 300U);
  EXPECT_EQ(optional_parts("[\\]](a?){300}]"), 300U);
  EXPECT_EQ(optional_parts("[^]](a?){300}]"), 300U);
  EXPECT_EQ(optional_parts("(?:a?){300}"), 300U);
  EXPECT_GE(optional_parts("((((a?){255}){255}){255}){255}"), 1'000'000U);
}

TEST(pattern, survives_what_is_none) {
  for (const char* const text : {"", "(", ")", "[", "[[:", "\\", "{", "a{", "a{1", "a{1,", "(?",
                                 "(?#", "*", "|", "))", "((", "a{99999999999999999999}"}) {
    EXPECT_LE(optional_parts(text), 1'000'000U) << text;
  }
}

TEST(pattern, tells_other_syntaxes) {
  for (const char* const text :
       {"***=a", "***:a", "(?x)a # [", "(?ix)a", "(?q)a", "(?b)a", "(?e)a"}) {
    EXPECT_TRUE(has_other_syntax(text)) << text;
  }
  for (const char* const text : {"a", "(?i)a", "(?:x)", "(?", "", "(ex)"}) {
    EXPECT_FALSE(has_other_syntax(text)) << text;
  }
}

}  // namespace
}  // namespace vrm
