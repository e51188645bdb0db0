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

// The table of doc/operations/api.md, row by row; 0 is what PostgREST answers by itself.
struct row {
  const char* sqlstate;
  int status;
};

TEST(HttpStatus, IsThatOfTheTable) {
  for (const row& documented : {
           row{"28000", 401}, row{"42501", 0},   row{"P0002", 404}, row{"02000", 404},
           row{"42883", 0},   row{"22023", 0},   row{"22P02", 0},   row{"23502", 0},
           row{"23514", 0},   row{"54000", 400}, row{"54011", 400}, row{"23503", 0},
           row{"23505", 0},   row{"55000", 409}, row{"55006", 409}, row{"42710", 409},
           row{"53400", 429}, row{"40001", 503}, row{"40P01", 503}, row{"55P03", 503},
           row{"25006", 503}, row{"0A000", 501}, row{"53300", 0},   row{"F0000", 0},
           row{"XX000", 0},   row{"57014", 0},   row{"25001", 0},   row{"", 0},
       }) {
    EXPECT_EQ(vrm::http_status_for_postgrest(documented.sqlstate), documented.status)
        << documented.sqlstate;
  }
}

TEST(Reason, OfAProblemOfTheAccount) {
  EXPECT_EQ(vrm::reason_of_problem("the second factor is missing"), "mfa_required");
  EXPECT_EQ(vrm::reason_of_problem("something new"), "not_allowed");
}

}  // namespace
