// Times in minutes and seconds, as the source document writes them, and the currencies of calls.
#include "core/calls/clock.h"

#include <gtest/gtest.h>

#include "core/calls/currencies.h"

namespace {

std::string clock(std::int64_t milliseconds, int minute_digits) {
  return std::string(vrm::clock_text(milliseconds, minute_digits).view());
}

TEST(Clock, HasWholeSecondsAndHoursWhenThereAreAny) {
  EXPECT_EQ(clock(165'000, 1), "2:45");
  EXPECT_EQ(clock(59'999, 1), "0:59");
  EXPECT_EQ(clock(3'765'000, 1), "1:02:45");
  EXPECT_EQ(clock(12'000, 2), "00:12");
  EXPECT_EQ(clock(9'223'372'036'854'775'807, 2), "2562047788015:12:55");
}

TEST(Currency, IsACodeOfIso4217ThatCallsHaveCost) {
  EXPECT_TRUE(vrm::is_currency("USD"));
  EXPECT_TRUE(vrm::is_currency("AED"));
  EXPECT_TRUE(vrm::is_currency("ZWG"));
  EXPECT_TRUE(vrm::is_currency("BGN"));
  for (const char* wrong : {"", "usd", "US", "USDX", "SD ", "XYZ", "BTC", "XAU"}) {
    EXPECT_FALSE(vrm::is_currency(wrong)) << wrong;
  }
}

}  // namespace
