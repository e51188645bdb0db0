// What we write as JSON reads back.
#include "core/platform/json_writer.h"

#include <gtest/gtest.h>

#include "core/platform/json.h"

namespace vrm::json {
namespace {

TEST(json_writer, writes_members_in_order) {
  EXPECT_EQ(object_writer().string("a", "b").integer("n", 7).real("r", 0.1).json("o", "{}").close(),
            R"({"a":"b","n":7,"r":0.1,"o":{}})");
}

TEST(json_writer, null_is_a_number_that_is_not_there) {
  EXPECT_EQ(object_writer().real("r", std::nullopt).close(), R"({"r":null})");
}

TEST(json_writer, every_character_comes_back) {
  std::string text;
  for (char c = 1; c < 127; ++c) text += c;
  text += "\u00e9\u20ac";
  const std::string written = object_writer().string("text", text).close();
  const document read(written);
  EXPECT_EQ(read.root().find("text")->string(), text);
}

}  // namespace
}  // namespace vrm::json
