// base64 and base64url without padding: one text for each sequence of bytes.
#include "core/platform/base64.h"

#include <gtest/gtest.h>

namespace vrm {
namespace {

TEST(base64url, rfc_4648_examples_without_their_padding) {
  const std::pair<std::string, std::string> examples[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(encode_base64url(bytes), text);
    EXPECT_EQ(decode_base64url(text), bytes);
  }
}

TEST(base64url, rfc_7515_appendix_c) {
  EXPECT_EQ(encode_base64url("\x03\xec\xff\xe0\xc1"), "A-z_4ME");
  EXPECT_EQ(decode_base64url("A-z_4ME"), "\x03\xec\xff\xe0\xc1");
}

TEST(base64url, every_byte_comes_back) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    bytes += static_cast<char>(byte);
    EXPECT_EQ(decode_base64url(encode_base64url(bytes)), bytes);
  }
}

TEST(base64url, refuses_every_other_spelling) {
  for (const char* text : {"Zg==", "Zm8=", "Zm9v\n", " Zm9v", "Zm 9v", "A+z/4ME", "Z", "Zm9vY",
                           "Zh", "Zm9", "Zm9v.", "Zm9v\x80"}) {
    EXPECT_EQ(decode_base64url(text), std::nullopt) << text;
  }
  EXPECT_EQ(decode_base64url(std::string_view("Zm\0v", 4)), std::nullopt);
}

TEST(base64, has_another_alphabet) {
  EXPECT_EQ(encode_base64(bytes_of("\x03\xec\xff\xe0\xc1")), "A+z/4ME");
  EXPECT_EQ(decode_base64("A+z/4ME"), "\x03\xec\xff\xe0\xc1");
  for (const char* text : {"A-z_4ME", "A+z/4ME=", "Zh", "Z"}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace vrm
