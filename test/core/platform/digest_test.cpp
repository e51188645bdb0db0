// SHA-256 and HMAC, against FIPS 180-4 and RFC 4231.
#include "core/platform/digest.h"

#include <gtest/gtest.h>

#include <iterator>
#include <string>

#include "core/platform/hex.h"

namespace vrm {
namespace {

std::string hex(byte_view bytes) {
  std::string text;
  for (const std::byte byte : bytes) write_hex(byte, std::back_inserter(text));
  return text;
}

constexpr const char* abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(sha256, of_the_standard) {
  EXPECT_EQ(hex(sha256_of({bytes_of("abc")})), abc);
  EXPECT_EQ(hex(sha256_of({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(sha256, parts_make_one_text) {
  EXPECT_EQ(hex(sha256_of({bytes_of("a"), {}, bytes_of("bc")})), abc);
}

TEST(hmac, of_rfc_4231) {
  // Test case 2.
  const hmac_sha256 keyed(bytes_of("Jefe"));
  constexpr const char* mac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  EXPECT_EQ(hex(keyed.of({bytes_of("what do ya want "), bytes_of("for nothing?")})), mac);
  EXPECT_NE(hex(keyed.of({bytes_of("something else")})), mac);
  EXPECT_EQ(hex(keyed.of({bytes_of("what do ya want for nothing?")})), mac);
}

TEST(hmac, with_another_digest) {
  std::array<std::byte, 64> room{};
  // RFC 2202, 3, test case 2.
  EXPECT_EQ(hex(hmac("SHA1", bytes_of("Jefe"), bytes_of("what do ya want for nothing?"), room)),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

}  // namespace
}  // namespace vrm
