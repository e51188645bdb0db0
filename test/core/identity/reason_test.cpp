// Reasons: the words by which clients tell errors apart.
#include "core/identity/reason.h"

#include <gtest/gtest.h>

namespace {

TEST(Reason, OfASqlstateOfItsOwn) {
  EXPECT_EQ(vrm::reason_of("P0002"), "not_found");
  EXPECT_EQ(vrm::reason_of("42501"), "not_allowed");
  EXPECT_EQ(vrm::reason_of("55000"), "wrong_state");
}

TEST(Reason, OfAClassWhenTheSqlstateHasNone) {
  EXPECT_EQ(vrm::reason_of("22P02"), "bad_argument");
  EXPECT_EQ(vrm::reason_of("23514"), "bad_argument");
  EXPECT_EQ(vrm::reason_of("40P01"), "try_again");
}

TEST(Reason, OfTheSqlstateBeforeItsClass) {
  EXPECT_EQ(vrm::reason_of("23505"), "already_exists");
  EXPECT_EQ(vrm::reason_of("53400"), "throttled");
}

TEST(Reason, OfWhatNoApplicationCanMend) {
  EXPECT_EQ(vrm::reason_of("XX000"), "internal");
  EXPECT_EQ(vrm::reason_of("42P01"), "internal");
  EXPECT_EQ(vrm::reason_of(""), "internal");
}

TEST(HttpStatus, OfWhatPostgrestAnswersOtherwise) {
  EXPECT_EQ(vrm::http_status_for_postgrest("P0002"), 404);
  EXPECT_EQ(vrm::http_status_for_postgrest("40001"), 503);
}

TEST(HttpStatus, IsLeftToPostgrestWhereItIsRight) {
  EXPECT_EQ(vrm::http_status_for_postgrest("22023"), 0);
  EXPECT_EQ(vrm::http_status_for_postgrest("42501"), 0);
  EXPECT_EQ(vrm::http_status_for_postgrest(""), 0);
}

TEST(Reason, OfAProblemOfTheAccount) {
  EXPECT_EQ(vrm::reason_of_problem("the second factor is missing"), "mfa_required");
  EXPECT_EQ(vrm::reason_of_problem("something new"), "not_allowed");
}

}  // namespace
