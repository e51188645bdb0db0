// base32 without padding, forgiving to people who type it.
#include "core/platform/base32.h"

#include <gtest/gtest.h>

namespace vrm {
namespace {

TEST(base32, rfc_4648_examples_without_their_padding) {
  const std::pair<std::string_view, std::string_view> examples[] = {{"", ""},
                                                                    {"f", "MY"},
                                                                    {"fo", "MZXQ"},
                                                                    {"foo", "MZXW6"},
                                                                    {"foob", "MZXW6YQ"},
                                                                    {"fooba", "MZXW6YTB"},
                                                                    {"foobar", "MZXW6YTBOI"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(encode_base32(bytes_of(bytes)), text);
    EXPECT_EQ(decode_base32(text), bytes);
  }
}

TEST(base32, takes_what_a_person_types) {
  EXPECT_EQ(decode_base32("mzxw 6ytb-oi"), "foobar");
  EXPECT_FALSE(decode_base32("MZXW1"));
  EXPECT_FALSE(decode_base32("MZXW6==="));
}

}  // namespace
}  // namespace vrm
