// Who claims say somebody is.
#include "core/identity/identity.h"

#include <gtest/gtest.h>

#include "core/platform/error.h"

namespace vrm {
namespace {

TEST(identity, reads_the_claims_it_needs) {
  const identity who = read_identity(R"({"sub": "0123abCD-4567-89ab-cdef-0123456789ab",
      "role": "authenticated", "aal": "aal2", "is_anonymous": false, "exp": 1300819380.9})");
  EXPECT_TRUE(who.has_user);
  EXPECT_EQ(who.user, parse_uuid("0123abcd-4567-89ab-cdef-0123456789ab"));
  EXPECT_STREQ(who.role.data(), "authenticated");
  EXPECT_STREQ(who.assurance.data(), "aal2");
  EXPECT_FALSE(who.is_anonymous);
  EXPECT_EQ(who.expires_at, 1300819380);
}

TEST(identity, what_is_missing_stays_empty) {
  const identity who = read_identity("{}");
  EXPECT_FALSE(who.has_user);
  EXPECT_STREQ(who.role.data(), "");
  EXPECT_STREQ(who.assurance.data(), "");
  EXPECT_FALSE(who.is_anonymous);
  EXPECT_FALSE(who.is_expired(INT64_MAX - 1));
}

TEST(identity, a_subject_that_is_no_uuid_is_no_user) {
  for (const char* subject :
       {R"("")", R"("auth0|1")", "7", "null", R"(["0123abcd-4567-89ab-cdef-0123456789ab"])",
        R"("{0123abcd-4567-89ab-cdef-0123456789ab}")"})
    EXPECT_FALSE(read_identity(std::string(R"({"sub": )") + subject + "}").has_user) << subject;
}

TEST(identity, a_foreign_subject_is_a_text_that_is_no_uuid) {
  const auto found =
      read_foreign_subject(R"({"iss": "https://i.example/", "sub": "auth0|\u0031"})");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->issuer, "https://i.example/");
  EXPECT_EQ(found->subject, "auth0|1");
  EXPECT_EQ(read_foreign_subject(R"({"sub": "auth0|1", "iss": 7})").value().issuer, "");
  for (const char* claims : {"{}", R"({"sub": ""})", R"({"sub": 7})", R"({"sub": null})",
                             R"({"sub": "0123abcd-4567-89ab-cdef-0123456789ab"})"})
    EXPECT_FALSE(read_foreign_subject(claims)) << claims;
  EXPECT_THROW((void)read_foreign_subject("[]"), error);
}

TEST(identity, with_user_puts_our_id_in_the_place_of_the_subject) {
  const uuid user = parse_uuid("0123abcd-4567-89ab-cdef-0123456789ab").value();
  EXPECT_EQ(with_user(R"({"iss": "i", "sub": "auth0|1", "a\"b": [1, {"c": "\u00e9\n"}]})", user),
            R"({"sub":"0123abcd-4567-89ab-cdef-0123456789ab","iss":"i","external_sub":"auth0|1",)"
            "\"a\\\"b\":[1,{\"c\":\"\u00e9\\u000a\"}]}");
  const std::string forged =
      with_user(R"({"external_sub": "somebody else", "sub": "auth0|1"})", user);
  EXPECT_EQ(forged, R"({"sub":"0123abcd-4567-89ab-cdef-0123456789ab","external_sub":"auth0|1"})");
  EXPECT_EQ(read_identity(forged).user, user);
}

TEST(identity, only_true_is_anonymous) {
  EXPECT_TRUE(read_identity(R"({"is_anonymous": true})").is_anonymous);
  EXPECT_FALSE(read_identity(R"({"is_anonymous": "true"})").is_anonymous);
  EXPECT_FALSE(read_identity(R"({"is_anonymous": 1})").is_anonymous);
}

TEST(identity, expires_to_the_second) {
  identity who;
  who.expires_at = 1000;
  EXPECT_FALSE(who.is_expired(999'999'999));
  EXPECT_TRUE(who.is_expired(1'000'000'000));
  EXPECT_FALSE(who.is_expired(1'029'999'999, 30));
  EXPECT_TRUE(who.is_expired(1'030'000'000, 30));
}

TEST(identity, no_expiry_overflows) {
  const identity late = read_identity(R"({"exp": 1e308})");
  EXPECT_FALSE(late.is_expired(INT64_MAX, 600) && late.is_expired(0, 600));
  EXPECT_FALSE(late.is_expired(4'102'444'800'000'000, 600));
  EXPECT_TRUE(read_identity(R"({"exp": -1e308})").is_expired(0, 600));
}

TEST(identity, refuses_claims_of_the_wrong_type) {
  for (const char* claims :
       {"[]", "1", "", R"({"exp": "1300819380"})", R"({"exp": null})", R"({"role": 7})",
        R"({"aal": ["aal2"]})", R"({"aal": "a level of great length"})",
        R"({"sub": "a", "sub": "b"})"})
    EXPECT_THROW((void)read_identity(claims), vrm::error) << claims;
  EXPECT_THROW((void)read_identity(R"({"role": ")" + std::string(64, 'x') + "\"}"), vrm::error);
  EXPECT_NO_THROW((void)read_identity(R"({"role": ")" + std::string(63, 'x') + "\"}"));
}

}  // namespace
}  // namespace vrm
