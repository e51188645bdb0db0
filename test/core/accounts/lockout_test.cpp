// The policy: who may try again, and when.
#include "core/accounts/lockout.h"

#include <gtest/gtest.h>

namespace {

using namespace vrm::lockout;  // NOLINT(google-build-using-namespace): these are its tests

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t minute = 60 * second;
constexpr moment start = 1'000 * minute;

struct Lockout : testing::Test {
  policy rules{};
  entry subject{.window_start = start, .last = start};
  moment now = start;

  verdict ask() { return reserve(subject, rules, now).says; }
  decision tell(bool success) { return settle(subject, rules, now, now, success); }
  void fail(int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_EQ(ask(), verdict::granted);
      tell(false);
    }
  }
};

TEST_F(Lockout, LocksAtTheThreshold) {
  fail(4);
  ASSERT_EQ(ask(), verdict::granted);
  const decision last = tell(false);
  EXPECT_TRUE(last.locked_now);
  EXPECT_EQ(last.says, verdict::locked);
  EXPECT_EQ(subject.locked_until, now + minute);
}

TEST_F(Lockout, RefusesWhileLockedWithoutAChange) {
  fail(5);
  const entry before = subject;
  const decision refused = reserve(subject, rules, now);
  EXPECT_EQ(refused.says, verdict::locked);
  EXPECT_FALSE(refused.changed);
  EXPECT_EQ(subject, before);
}

TEST_F(Lockout, LocksLongerEachTimeUpToTheMost) {
  rules.max_lock = 3 * minute;
  for (const std::int64_t length : {minute, 2 * minute, 3 * minute, 3 * minute}) {
    fail(5);
    EXPECT_EQ(subject.locked_until, now + length);
    now = subject.locked_until;
  }
}

TEST_F(Lockout, CountsReservationsAgainstTheThreshold) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(), verdict::granted);
  const decision surplus = reserve(subject, rules, now);
  EXPECT_EQ(surplus.says, verdict::wait);
  EXPECT_FALSE(surplus.changed);
}

TEST_F(Lockout, MakesRoomWithASuccess) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(), verdict::granted);
  tell(true);
  EXPECT_EQ(ask(), verdict::granted);
}

TEST_F(Lockout, CountsWhoHasVanishedAsFailures) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(), verdict::granted);
  now += rules.reservation;
  const decision late = reserve(subject, rules, now);
  EXPECT_EQ(late.says, verdict::locked);
  EXPECT_TRUE(late.locked_now);
}

TEST_F(Lockout, DoesNotCountAVanishedAttemptTwice) {
  EXPECT_EQ(ask(), verdict::granted);
  now += rules.reservation;
  EXPECT_EQ(ask(), verdict::granted);  // counts the first as a failure
  cancel(subject, now);
  tell(false);  // the first comes back after all
  EXPECT_EQ(subject.failures, 1);
}

TEST_F(Lockout, NeverLetsMoreThanTheThresholdThroughHoweverTheyEnd) {
  int evaluated = 0;
  for (unsigned seed = 1; seed < 2000 && subject.locked_until == never; ++seed) {
    if (ask() == verdict::granted) {
      ++evaluated;
      if (seed % 3 != 0) tell(false);  // every third vanishes
    } else {
      now += second;
    }
  }
  EXPECT_EQ(evaluated, rules.threshold);
  EXPECT_GT(subject.locked_until, now);
}

TEST_F(Lockout, ForgetsFailuresWithTheWindow) {
  fail(4);
  now += rules.window + 1;
  fail(4);
  EXPECT_EQ(subject.locked_until, never);
}

TEST_F(Lockout, SuccessForgivesFailures) {
  fail(4);
  ASSERT_EQ(ask(), verdict::granted);
  tell(true);
  EXPECT_EQ(subject.failures, 0);
  EXPECT_EQ(subject.consecutive, 0);
}

TEST_F(Lockout, SuccessLeavesALockThatOthersCaused) {
  ASSERT_EQ(ask(), verdict::granted);
  subject.locked_until = now + minute;
  tell(true);
  EXPECT_EQ(subject.locked_until, now + minute);
}

TEST_F(Lockout, AnOldSuccessForgivesNothingNewer) {
  const moment began = now;
  ASSERT_EQ(ask(), verdict::granted);
  now += second;
  tell(true);
  now += second;
  fail(3);
  settle(subject, rules, now, began, true);  // the same ticket again
  EXPECT_EQ(subject.failures, 3);
}

TEST_F(Lockout, LocksForGoodAtTheCap) {
  rules.consecutive_cap = 7;
  fail(5);
  now = subject.locked_until;
  fail(2);
  EXPECT_EQ(subject.locked_until, forever);
}

TEST_F(Lockout, AdvancesForwardOnly) {
  EXPECT_TRUE(advance(subject, 7, now));
  EXPECT_FALSE(advance(subject, 7, now));
  EXPECT_FALSE(advance(subject, 6, now));
  EXPECT_TRUE(advance(subject, 8, now));
}

TEST_F(Lockout, ForgivingKeepsWhatMustNotGoBack) {
  EXPECT_TRUE(advance(subject, 7, now));
  fail(5);
  forgive(subject, now);
  EXPECT_EQ(subject.locked_until, never);
  EXPECT_EQ(subject.value, 7);
}

TEST_F(Lockout, ExpiresWhenNothingMattersAnyMore) {
  fail(1);
  EXPECT_FALSE(is_expired(subject, now));
  EXPECT_TRUE(is_expired(subject, now + (24 * 61 * minute)));
  subject.lock_count = 1;
  EXPECT_FALSE(is_expired(subject, now + (24 * 61 * minute)));
  subject.locked_until = forever;
  EXPECT_FALSE(is_expired(subject, forever - 1));
}

TEST_F(Lockout, MergesToTheStricter) {
  entry other{.locked_until = start + minute, .failures = 3, .value = 9};
  subject.failures = 4;
  merge(subject, other);
  EXPECT_EQ(subject.locked_until, start + minute);
  EXPECT_EQ(subject.failures, 4);
  EXPECT_EQ(subject.value, 9);
}

TEST_F(Lockout, HoldsAtTheEndsOfTheScale) {
  rules = {.threshold = 1, .base_lock = forever, .max_lock = forever};
  fail(1);
  EXPECT_EQ(subject.locked_until, forever);
  subject = {.failures = 0xFFFF, .consecutive = 0xFFFF, .lock_count = 0xFFFF};
  subject.window_start = now;
  EXPECT_EQ(ask(), verdict::locked);
}

}  // namespace
