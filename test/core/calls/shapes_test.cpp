// What core knows of documents: durations, the order of members, JSON pointers.
#include "core/calls/shapes.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using vrm::duration_seconds;

TEST(Duration, IsMinutesAndSecondsWithHoursInFrontOrNot) {
  EXPECT_EQ(duration_seconds("2:45"), 165);
  EXPECT_EQ(duration_seconds("00:00"), 0);
  EXPECT_EQ(duration_seconds("1:02:45"), 3765);
  EXPECT_EQ(duration_seconds("9999:59:59"), 35999999);
}

TEST(Duration, MayHaveMoreThanAnHoursMinutesWithoutHours) {
  EXPECT_EQ(duration_seconds("75:00"), 4500);
  EXPECT_EQ(duration_seconds("9999:59"), 599999);
}

TEST(Duration, IsNothingElse) {
  for (const char* wrong :
       {"",          ":",        "::",          "abc",     "165",      "2:",         ":45",
        "2:4",       "2:60",     "2:045",       "-2:45",   "+2:45",    " 2:45",      "2:45 ",
        "2:45\n",    "2.5:00",   "1:2:45",      "1:60:00", "1:002:45", "99:99:99",   "1:02:45:",
        "1:1:02:45", "10000:00", "10000:00:00", "2:4a",    "0x2:45",   "\xD9\xA2:45"}) {
    EXPECT_FALSE(duration_seconds(wrong).has_value()) << wrong;
  }
}

/// jsonb's order is what lets a walk merge a document's members with a shape's.
void expect_order(const vrm::shape& shape) {
  EXPECT_TRUE(std::ranges::is_sorted(shape.members, vrm::precedes, &vrm::member::name));
  for (const vrm::member& member : shape.members) {
    SCOPED_TRACE(member.name);
    expect_order(*member.value);
  }
  const bool is_list = shape.type == vrm::shape::kind::array;
  const bool is_map = shape.type == vrm::shape::kind::object && shape.members.empty();
  EXPECT_EQ(shape.element != nullptr, is_list || is_map);
  if (shape.element != nullptr) expect_order(*shape.element);
}

TEST(Shape, HasItsMembersInTheOrderOfJsonb) {
  EXPECT_TRUE(vrm::precedes("time", "speaker"));
  EXPECT_TRUE(vrm::precedes("message", "speaker"));
  EXPECT_FALSE(vrm::precedes("voice", "voice"));
  expect_order(vrm::connection_details_shape);
  expect_order(vrm::results_shape);
}

TEST(Place, IsToldAsJsonPointer) {
  const vrm::place document;
  const vrm::member member{.name = "transcript", .value = &vrm::results_shape};
  const vrm::place transcript{.parent = &document, .named = &member};
  const vrm::place turn{.parent = &transcript, .index = 3};
  EXPECT_EQ(vrm::json_pointer(document), "");
  EXPECT_EQ(vrm::json_pointer({.parent = &turn, .named = &member}), "/transcript/3/transcript");
}

}  // namespace
