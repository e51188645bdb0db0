// Refresh tokens: once, but for two tabs of one browser; later than that it is theft.
#include "core/accounts/refresh.h"

#include <gtest/gtest.h>

namespace {

using namespace vrm::refresh;  // NOLINT(google-build-using-namespace): these are its tests

struct Refresh : testing::Test {
  vrm::lockout::entry session;
  vrm::lockout::moment now = 1'000'000'000;
};

TEST_F(Refresh, TakesEachTokenOnce) {
  EXPECT_EQ(rotate(session, 0, 0, now), use::first);
  EXPECT_EQ(rotate(session, 1, 1, now), use::first);
  EXPECT_EQ(rotate(session, 2, 2, now), use::first);
}

TEST_F(Refresh, AnswersTwoTabsAlike) {
  EXPECT_EQ(rotate(session, 0, 0, now), use::first);
  EXPECT_EQ(rotate(session, 0, 0, now + grace), use::again);
  EXPECT_EQ(rotate(session, 1, 1, now + grace), use::first);
}

TEST_F(Refresh, EndsTheSessionForALaterUse) {
  EXPECT_EQ(rotate(session, 0, 0, now), use::first);
  EXPECT_EQ(rotate(session, 0, 1, now + grace + 1), use::reused);
  EXPECT_EQ(rotate(session, 1, 1, now + grace + 2), use::ended);
  EXPECT_EQ(session.locked_until, now + grace + 1 + life);
}

TEST_F(Refresh, EndsTheSessionForATokenBeforeTheLast) {
  EXPECT_EQ(rotate(session, 0, 0, now), use::first);
  EXPECT_EQ(rotate(session, 1, 1, now), use::first);
  EXPECT_EQ(rotate(session, 0, 1, now), use::reused);
}

TEST_F(Refresh, CountsFromTheGraceOfTheFirstUse) {
  EXPECT_EQ(rotate(session, 0, 0, now), use::first);
  EXPECT_EQ(rotate(session, 0, 0, now + grace), use::again);
  EXPECT_EQ(rotate(session, 0, 0, now + grace + 1), use::reused);
}

TEST_F(Refresh, KnowsAnOldTokenWhenTheCounterWasForgotten) {
  EXPECT_EQ(rotate(session, 4, 5, now), use::reused);
}

TEST_F(Refresh, GoesOnWhenTheCounterWasForgotten) {
  EXPECT_EQ(rotate(session, 5, 5, now), use::first);
}

}  // namespace
