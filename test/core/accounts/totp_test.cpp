// One-time codes, against RFC 6238, appendix B.
#include "core/accounts/totp.h"

#include <gtest/gtest.h>

#include <array>
#include <span>

namespace {

using namespace vrm::totp;  // NOLINT(google-build-using-namespace): these are its tests

using vrm::bytes_of;

struct example {
  std::int64_t time;
  const char* sha1;
  const char* sha256;
  const char* sha512;
};

TEST(Totp, GivesTheCodesOfTheStandard) {
  constexpr std::array<example, 6> table = {{{59, "94287082", "46119246", "90693936"},
                                             {1111111109, "07081804", "68084774", "25091201"},
                                             {1111111111, "14050471", "67062674", "99943326"},
                                             {1234567890, "89005924", "91819424", "93441116"},
                                             {2000000000, "69279037", "90698825", "38618901"},
                                             {20000000000, "65353130", "77737706", "47863826"}}};
  const std::string_view seed = "1234567890123456789012345678901234567890123456789012345678901234";
  for (const example& row : table) {
    const auto code = [&](digest hash, std::size_t size) {
      return code_at(bytes_of(seed.substr(0, size)), row.time / 30, {.hash = hash, .digits = 8});
    };
    EXPECT_EQ(code(digest::sha1, 20), row.sha1);
    EXPECT_EQ(code(digest::sha256, 32), row.sha256);
    EXPECT_EQ(code(digest::sha512, 64), row.sha512);
  }
}

TEST(Totp, TakesTheStepAndItsNeighbours) {
  const auto secret = bytes_of("12345678901234567890");
  constexpr std::int64_t now = 1'000'000'015;
  constexpr std::int64_t step = now / 30;
  for (const std::int64_t near : {step - 1, step, step + 1})
    EXPECT_EQ(step_of(secret, code_at(secret, near), now), near);
  EXPECT_FALSE(step_of(secret, code_at(secret, step - 2), now));
  EXPECT_FALSE(step_of(secret, code_at(secret, step + 2), now));
  EXPECT_FALSE(step_of(secret, "", now));
  EXPECT_FALSE(step_of(secret, code_at(secret, step) + "0", now));
}

TEST(Totp, WritesAnAddressForAuthenticators) {
  EXPECT_EQ(otpauth_uri("MZXW6", "vrm", "a b@example.org"),
            "otpauth://totp/vrm:a%20b%40example.org?secret=MZXW6&issuer=vrm&algorithm=SHA1"
            "&digits=6&period=30");
}

}  // namespace
