// Digests of rows: known answers, and that no two different rows look alike.
#include "core/retention/row_digest.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace {

std::string hex(const vrm::sha256& digest) {
  std::string text;
  for (const std::byte byte : digest) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[std::to_integer<std::size_t>(byte) >> 4];
    text += digits[std::to_integer<std::size_t>(byte) & 15];
  }
  return text;
}

vrm::sha256 row(std::initializer_list<std::optional<std::string_view>> values) {
  vrm::row_digest digest;
  digest.begin();
  for (const auto& value : values) {
    if (value) {
      digest.add(std::as_bytes(std::span(*value)));
    } else {
      digest.add_null();
    }
  }
  return digest.finish();
}

// sha256sum of nothing, of "abc" behind its size, of eight bytes of ones
TEST(row_digest, known_answers) {
  EXPECT_EQ(hex(row({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(row({"abc"})), "c3494ca1a2cf8eeb8a11ded316fb55b83c3bbbedb6313cd50415251e5d09e12f");
  EXPECT_EQ(hex(row({std::nullopt})),
            "12a3ae445661ce5dee78d0650d33362dec29c4f82af05e7e57fb595bbbacf0ca");
}

TEST(row_digest, values_do_not_run_into_each_other) {
  EXPECT_NE(row({"ab", "c"}), row({"a", "bc"}));
  EXPECT_NE(row({"abc", ""}), row({"", "abc"}));
  EXPECT_NE(row({"abc"}), row({"abc", ""}));
}

TEST(row_digest, null_is_not_empty) { EXPECT_NE(row({std::nullopt}), row({""})); }

TEST(row_digest, a_context_is_used_again) {
  vrm::row_digest digest;
  digest.begin();
  digest.add_null();
  static_cast<void>(digest.finish());
  digest.begin();
  EXPECT_EQ(digest.finish(), row({}));
}

TEST(digest_of_set, order_does_not_matter_but_number_does) {
  const auto a = row({"a"});
  const auto b = row({"b"});
  EXPECT_EQ(vrm::digest_of_set({a, b}), vrm::digest_of_set({b, a}));
  EXPECT_NE(vrm::digest_of_set({a, b}), vrm::digest_of_set({a, b, b}));
  EXPECT_NE(vrm::digest_of_set({a}), vrm::digest_of_set({b}));
}

}  // namespace
