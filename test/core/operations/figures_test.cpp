// How numbers and days read.
#include "core/operations/figures.h"

#include <gtest/gtest.h>

namespace vrm::report {
namespace {

TEST(figures, only_all_is_100_percent_and_only_nothing_is_0) {
  EXPECT_EQ(figure(0, "percent"), "0 %");
  EXPECT_EQ(figure(0.004, "percent"), "0.1 %");
  EXPECT_EQ(figure(28.999999999999996, "percent"), "29 %") << "100 * 0.29";
  EXPECT_EQ(figure(66.66, "percent"), "66.6 %");
  EXPECT_EQ(figure(70.7, "percent"), "70.7 %");
  EXPECT_EQ(figure(99.96, "percent"), "99.9 %");
  EXPECT_EQ(figure(99.9996, "percent"), "99.9 %");
  EXPECT_EQ(figure(100, "percent"), "100 %");
}

TEST(figures, bytes_stand_in_a_fitting_unit) {
  EXPECT_EQ(figure(0, "bytes"), "0");
  EXPECT_EQ(figure(512, "bytes"), "512 bytes");
  EXPECT_EQ(figure(1024, "bytes"), "1 kB");
  EXPECT_EQ(figure(1088.0 * 1024, "bytes"), "1.1 MB");
  EXPECT_EQ(figure(1024.0 * 1024 - 1, "bytes"), "1 MB") << "not 1024 kB";
  EXPECT_EQ(figure(123.4 * 1024 * 1024, "bytes"), "123 MB");
  EXPECT_EQ(figure(-2048, "bytes"), "-2 kB");
  EXPECT_EQ(figure(5e18, "bytes"), "4.3 EB");
}

TEST(figures, seconds_are_a_clock) {
  EXPECT_EQ(figure(0, "seconds"), "0:00");
  EXPECT_EQ(figure(59.6, "seconds"), "1:00");
  EXPECT_EQ(figure(86, "seconds"), "1:26");
  EXPECT_EQ(figure(3661, "seconds"), "1:01:01");
  EXPECT_EQ(figure(-5, "seconds"), "-0:05");
}

TEST(figures, plain_numbers_are_grouped) {
  EXPECT_EQ(figure(0, "number"), "0");
  EXPECT_EQ(figure(999, ""), "999");
  EXPECT_EQ(figure(1461, "number"), "1,461");
  EXPECT_EQ(figure(-1234567.5, "number"), "-1,234,567.5");
  EXPECT_EQ(figure(-123, "number"), "-123");
  EXPECT_EQ(figure(-0.001, "number"), "0");
  EXPECT_EQ(figure(1e308, "number").size(), 309 + 102) << "and its commas";
}

TEST(figures, lines_of_a_chart_are_round_numbers_of_its_unit) {
  EXPECT_DOUBLE_EQ(line_distance(7, "number"), 2);
  EXPECT_DOUBLE_EQ(line_distance(21, "number"), 10);
  EXPECT_DOUBLE_EQ(line_distance(100, "seconds"), 30);
  EXPECT_DOUBLE_EQ(line_distance(1e6, "seconds"), 250000) << "beyond all steps";
  EXPECT_DOUBLE_EQ(line_distance(90, "percent"), 25);
  EXPECT_DOUBLE_EQ(line_distance(3e9, "bytes"), 1024.0 * 1024 * 1024);
}

TEST(figures, days_are_read_as_people_say_them) {
  EXPECT_EQ(day_label("2026-11-03"), "Nov 03");
  EXPECT_EQ(day_in_words("2026-05-03", false), "May 3");
  EXPECT_EQ(day_in_words("2026-11-30", true), "November 30, 2026");
  for (const auto* const other : {"", "2026-13-01", "2026-00-01", "2026/11/03", "2026-1x-03"}) {
    EXPECT_EQ(day_label(other), other);
  }
}

}  // namespace
}  // namespace vrm::report
