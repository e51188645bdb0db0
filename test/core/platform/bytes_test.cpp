// Numbers and digits as bytes.
#include "core/platform/bytes.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <string>

#include "core/platform/big_endian.h"
#include "core/platform/hex.h"

namespace vrm {
namespace {

TEST(big_endian, highest_byte_first) {
  EXPECT_EQ(text_of(to_big_endian(0x4142434445464748)), "ABCDEFGH");
  EXPECT_EQ(from_big_endian(bytes_of("ABCDEFGHI")), 0x4142434445464748U);
  EXPECT_EQ(from_big_endian<4>(bytes_of("\xFF\x42\x43\x44")), 0xFF424344U);
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    EXPECT_EQ(from_big_endian(to_big_endian(number)), number);
  }
}

TEST(hex, two_digits_a_byte) {
  std::string text;
  for (const std::byte byte : bytes_of("\x01\xAF")) write_hex(byte, std::back_inserter(text));
  EXPECT_EQ(text, "01af");
  text.clear();
  write_hex(std::byte{0xAF}, std::back_inserter(text), upper_hex_digits);
  EXPECT_EQ(text, "AF");
}

TEST(hex, every_byte_comes_back) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string text;
    write_hex(static_cast<std::byte>(byte), std::back_inserter(text));
    EXPECT_EQ(hex_byte(text[0], text[1]), byte);
  }
  EXPECT_EQ(hex_byte('A', 'f'), 0xAF);
}

TEST(hex, other_characters_are_no_digits) {
  int digits = 0;
  for (int c = 0; c < 256; ++c) digits += hex_value(static_cast<char>(c)) >= 0 ? 1 : 0;
  EXPECT_EQ(digits, 10 + 6 + 6);
  EXPECT_EQ(hex_byte('0', 'g'), -1);
  EXPECT_EQ(hex_byte('x', '0'), -1);
}

}  // namespace
}  // namespace vrm
