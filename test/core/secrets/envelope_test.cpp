// The envelope's structure: what is one, and that everything else is refused.
#include "core/secrets/envelope.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace vrm {
namespace {

constexpr envelope_header example{.cipher = algorithm::xaes_256_gcm,
                                  .bound = binding::row,
                                  .per_subject = true,
                                  .key_id = 0x0123456789ABCDEF};

std::vector<std::byte> envelope(const envelope_header& header, std::size_t plaintext_size) {
  const auto head = write_envelope_header(header);
  std::vector<std::byte> value(head.begin(), head.end());
  value.resize(plaintext_size + envelope_overhead(header.cipher));
  return value;
}

TEST(envelope, has_the_documented_bytes) {
  const std::array<int, 12> expected = {0xF9, 1,    1,    1,    0x01, 0x23,
                                        0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF};
  const auto head = write_envelope_header(example);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(std::to_integer<int>(head[i]), expected[i]) << "byte " << i;
  }
}

TEST(envelope, adds_52_bytes) { EXPECT_EQ(envelope_overhead(algorithm::xaes_256_gcm), 52U); }

TEST(envelope, header_reads_back_as_written) {
  for (const auto cipher : {algorithm::xaes_256_gcm, algorithm::aes_256_gcm}) {
    for (const auto bound : {binding::none, binding::row, binding::context}) {
      for (const bool per_subject : {false, true}) {
        for (const std::int64_t key_id : {std::int64_t{1}, std::int64_t{0x7FFFFFFFFFFFFFFF}}) {
          const envelope_header header{cipher, bound, per_subject, key_id};
          const auto value = envelope(header, 0);
          EXPECT_EQ(read_envelope_header(value, value.size()), header);
        }
      }
    }
  }
}

TEST(envelope, of_an_empty_plaintext_is_one_and_a_byte_less_is_not) {
  for (const auto cipher : {algorithm::xaes_256_gcm, algorithm::aes_256_gcm}) {
    auto value = envelope({.cipher = cipher, .key_id = 7}, 0);
    EXPECT_TRUE(is_envelope(value));
    value.pop_back();
    EXPECT_FALSE(is_envelope(value));
  }
}

TEST(envelope, every_truncation_of_the_header_is_refused) {
  const auto value = envelope(example, 100);
  for (std::size_t size = 0; size < envelope_header_size; ++size) {
    EXPECT_FALSE(read_envelope_header(byte_view(value).first(size), value.size())) << size;
  }
}

/// Every value of one header byte that version 1 does not define.
class undefined_byte : public testing::TestWithParam<std::pair<std::size_t, std::vector<int>>> {};

TEST_P(undefined_byte, is_refused) {
  const auto& [offset, defined] = GetParam();
  for (int content = 0; content < 256; ++content) {
    auto value = envelope(example, 10);
    value[offset] = static_cast<std::byte>(content);
    const bool expected = std::find(defined.begin(), defined.end(), content) != defined.end();
    EXPECT_EQ(is_envelope(value), expected) << "byte " << offset << " = " << content;
  }
}

INSTANTIATE_TEST_SUITE_P(envelope, undefined_byte,
                         testing::Values(std::pair(0, std::vector<int>{0xF9}),
                                         std::pair(1, std::vector<int>{1, 2}),
                                         std::pair(2, std::vector<int>{0, 1, 2}),
                                         std::pair(3, std::vector<int>{0, 1})));

TEST(envelope, key_id_is_positive) {
  EXPECT_FALSE(is_envelope(envelope({.key_id = 0}, 0)));
  EXPECT_FALSE(is_envelope(envelope({.key_id = -1}, 0)));
  EXPECT_TRUE(is_envelope(envelope({.key_id = 1}, 0)));
}

TEST(envelope, text_is_not_one) {
  const std::string_view text =
      "sk-live-0123456789012345678901234567890123456789012345678901234567";
  EXPECT_FALSE(is_envelope(std::as_bytes(std::span(text))));
}

}  // namespace
}  // namespace vrm
