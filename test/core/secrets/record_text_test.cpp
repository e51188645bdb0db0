// Row values as PostgreSQL writes them.
#include "core/secrets/record_text.h"

#include <gtest/gtest.h>

namespace vrm {
namespace {

using values = std::vector<std::string>;

TEST(record_text, one_column_stands_for_itself) {
  EXPECT_EQ(split_record("(a,b)", 1), values{"(a,b)"});
  EXPECT_EQ(split_record("", 1), values{""});
}

TEST(record_text, columns_are_split_and_unquoted) {
  EXPECT_EQ(split_record("(1,two)", 2), (values{"1", "two"}));
  EXPECT_EQ(split_record(R"(("a,b","say ""hi"" \\ \"x"))", 2), (values{"a,b", R"(say "hi" \ "x)"}));
  EXPECT_EQ(split_record("(,)", 2), (values{"", ""}));
  EXPECT_EQ(split_record("()", 2), values{""});
}

TEST(record_text, what_does_not_match_is_refused) {
  for (const char* text : {"", "(", ")", "a,b", "(a,b", "a,b)", "(\"a,b)"}) {
    EXPECT_EQ(split_record(text, 2), values()) << text;
  }
}

}  // namespace
}  // namespace vrm
