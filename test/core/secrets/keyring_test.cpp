// Master keys, wrapped keys and the blind index.
#include "core/secrets/keyring.h"

#include <gtest/gtest.h>

#include "vectors.h"

namespace vrm {
namespace {

using test::from_hex;
using test::read_vectors;

const std::string key_a = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const std::string key_b = "//////////////////////////////////////////8=";

TEST(master_keys, are_read_in_order) {
  const auto keys = read_master_keys("# made 2026\n\n2026-11:" + key_b + "\r\n2026-10:" + key_a);
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].id, "2026-11");
  EXPECT_EQ(keys[1].id, "2026-10");
  EXPECT_EQ(keys[0].key.bytes()[31], std::byte{0xFF});
  EXPECT_EQ(keys[1].key.bytes()[31], std::byte{0x00});
}

struct bad_file {
  std::string text;
  std::string detail;
};

class bad_master_keys : public testing::TestWithParam<bad_file> {};

TEST_P(bad_master_keys, are_refused_by_line_and_never_quoted) {
  try {
    static_cast<void>(read_master_keys(GetParam().text));
    FAIL() << "accepted";
  } catch (const error& e) {
    EXPECT_EQ(e.state(), sqlstate("F0000"));
    EXPECT_EQ(e.detail(), GetParam().detail);
    EXPECT_FALSE(e.hint().empty());
    EXPECT_EQ((e.what() + e.detail()).find("AAAA"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(
    keyring, bad_master_keys,
    testing::Values(
        bad_file{"", "There is no key."}, bad_file{"\n# nothing\n", "There is no key."},
        bad_file{"a:" + key_a + "\n" + key_b, "Line 2 has no colon."},
        bad_file{"a:" + key_a + "\n\na:" + key_b, "Line 3 repeats the id of a line above it."},
        bad_file{":" + key_a,
                 "Line 1 has no valid id of 1 to 64 letters, digits, '-', '_' or '.'."},
        bad_file{"a b:" + key_a,
                 "Line 1 has no valid id of 1 to 64 letters, digits, '-', '_' or '.'."},
        bad_file{std::string(65, 'a') + ":" + key_a,
                 "Line 1 has no valid id of 1 to 64 letters, digits, '-', '_' or '.'."},
        bad_file{"a:" + key_a.substr(1),
                 "Line 1 does not have 32 bytes in base64 after the colon."},
        bad_file{"a:" + key_a + "A", "Line 1 does not have 32 bytes in base64 after the colon."},
        bad_file{"a:!" + key_a.substr(1),
                 "Line 1 does not have 32 bytes in base64 after the colon."},
        bad_file{"a:" + key_a.substr(0, 42) + "==",
                 "Line 1 does not have 32 bytes in base64 after the colon."}));

TEST(wrapped_key, unwraps_under_its_master_key_id_and_purpose_only) {
  const auto masters = read_master_keys("a:" + key_a + "\nb:" + key_b);
  const secret_key key = secret_key::random();
  const std::int64_t id = key_id_of(key);
  const wrapped_key wrapped = wrap_key(masters[0], "data", key);

  const auto unwrapped = unwrap_key(masters[0], "data", id, wrapped);
  ASSERT_TRUE(unwrapped);
  EXPECT_TRUE(openssl::equal_in_constant_time(unwrapped->bytes(), key.bytes()));

  EXPECT_FALSE(unwrap_key(masters[1], "data", id, wrapped));
  EXPECT_FALSE(unwrap_key(masters[0], "blind_index", id, wrapped));
  EXPECT_FALSE(unwrap_key(masters[0], "data", id + 1, wrapped));
  EXPECT_FALSE(unwrap_key(masters[0], "data", id, byte_view(wrapped).first(71)));
  EXPECT_FALSE(unwrap_key({"a2", masters[0].key}, "data", id, wrapped));
  for (std::size_t bit = 0; bit < wrapped.size() * 8; ++bit) {
    wrapped_key flipped = wrapped;
    flipped[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    EXPECT_FALSE(unwrap_key(masters[0], "data", id, flipped)) << "bit " << bit;
  }
}

TEST(blind_index, is_the_head_of_hmac_sha_256) {
  for (const auto& vector : read_vectors("rfc4231_hmac_sha256.txt")) {
    blind_indexer indexer(from_hex(vector.at("Key")));
    const auto data = from_hex(vector.at("Data"));
    const std::string text(reinterpret_cast<const char*>(data.data()), data.size());
    const auto expected =
        static_cast<std::int64_t>(std::stoull(vector.at("HMAC").substr(0, 16), nullptr, 16));
    for (const std::size_t column_size : {std::size_t{0}, std::size_t{2}, data.size()}) {
      EXPECT_EQ(indexer.index(byte_view(data).first(column_size), text.substr(column_size)),
                expected)
          << vector.at("Case");
    }
  }
}

TEST(equal_in_constant_time, compares_sizes_too) {
  const auto a = from_hex("0102");
  EXPECT_TRUE(openssl::equal_in_constant_time(a, from_hex("0102")));
  EXPECT_FALSE(openssl::equal_in_constant_time(a, from_hex("0103")));
  EXPECT_FALSE(openssl::equal_in_constant_time(a, from_hex("01")));
  EXPECT_TRUE(openssl::equal_in_constant_time({}, {}));
}

}  // namespace
}  // namespace vrm
