// Access tokens of our own are tokens like others': what verifies those verifies these.
#include "core/accounts/access_token.h"

#include <gtest/gtest.h>

#include "core/identity/token.h"
#include "core/platform/error.h"
#include "core/platform/json.h"

namespace {

using namespace vrm::jose;  // NOLINT(google-build-using-namespace): these are its tests

constexpr std::string_view claims = R"({"iss":"vrm","aud":"authenticated","exp":2000000000})";
const claim_rules rules{.issuer = "vrm", .audience = "authenticated", .now = 1'900'000'000};

TEST(AccessToken, IsVerifiedWithItsPublicKey) {
  const key_pair made = make_key_pair();
  const std::string text = sign_token(made.private_key, made.key_id, claims);
  const token read(text, 8192);
  EXPECT_EQ(read.key_id(), made.key_id);
  const vrm::json::document jwk(made.public_jwk);
  EXPECT_EQ(read.verified_claims(verification_key(jwk.root()), rules), claims);
}

TEST(AccessToken, IsNotVerifiedWithAnother) {
  const key_pair made = make_key_pair();
  const key_pair other = make_key_pair();
  EXPECT_NE(made.key_id, other.key_id);
  const std::string text = sign_token(made.private_key, made.key_id, claims);
  const vrm::json::document jwk(other.public_jwk);
  EXPECT_THROW((void)token(text, 8192).verified_claims(verification_key(jwk.root()), rules),
               vrm::error);
}

TEST(AccessToken, HasSignaturesOfOneSize) {
  const key_pair made = make_key_pair();  // r or s begin with a zero byte now and then
  for (int i = 0; i < 300; ++i) {
    const std::string text = sign_token(made.private_key, made.key_id, claims);
    ASSERT_EQ(text.size() - text.rfind('.') - 1, 86U);
  }
}

TEST(AccessToken, NeedsAKey) {
  EXPECT_THROW((void)sign_token("", "kid", claims), vrm::error);
  EXPECT_THROW((void)sign_token("-----BEGIN PRIVATE KEY-----", "kid", claims), vrm::error);
}

}  // namespace
