// Tokens: which one is believed, and every way of offering one that must not be.
#include "core/identity/token.h"

#include <gtest/gtest.h>

#include <array>

#include "core/platform/base64.h"
#include "core/platform/error.h"
#include "rfc_examples.h"

namespace vrm::jose {
namespace {

constexpr std::int64_t now = 1700000000;
constexpr std::size_t size_limit = 8192;

const std::string& secret() {
  static const std::string bytes = decode_base64url(rfc::hs256_secret).value();
  return bytes;
}

std::string keyed_hash(std::string_view message) {
  std::string hash(32, '\0');
  std::size_t size = 0;
  EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, secret().data(), secret().size(),
            reinterpret_cast<const unsigned char*>(message.data()), message.size(),
            reinterpret_cast<unsigned char*>(hash.data()), hash.size(), &size);
  return hash;
}

/// A token that is signed well, whatever it says.
std::string sign(std::string_view header, std::string_view claims) {
  const std::string parts = encode_base64url(header) + "." + encode_base64url(claims);
  return parts + "." + encode_base64url(keyed_hash(parts));
}

constexpr std::string_view plain_header = R"({"alg": "HS256"})";
constexpr std::string_view good_claims = R"({"sub": "me", "exp": 1700000060})";

/// Why a token is refused: the line for the server's log; "none" when it is believed.
std::string reason(std::string_view text, const claim_rules& rules = {.now = now}) {
  const verification_key key(std::as_bytes(std::span(secret())));
  try {
    (void)token(text, size_limit).verified_claims(key, rules);
    return "none";
  } catch (const vrm::error& e) {
    EXPECT_EQ(e.state().text(), "28000");
    EXPECT_STREQ(e.what(), "token rejected");
    EXPECT_EQ(e.detail() + e.hint(), "") << "the client learns nothing";
    constexpr std::string_view opening = "The token was refused: ";
    EXPECT_EQ(e.log_detail().substr(0, opening.size()), opening);
    return e.log_detail().substr(opening.size());
  }
}

std::string reason_for_claims(std::string_view claims, const claim_rules& rules = {.now = now}) {
  return reason(sign(plain_header, claims), rules);
}

std::string reason_for_header(std::string_view header) { return reason(sign(header, good_claims)); }

TEST(token, rfc_7515_example_is_believed_until_it_expires) {
  EXPECT_EQ(reason(rfc::hs256_token, {.issuer = "joe", .now = rfc::expires_at - 1}), "none");
  EXPECT_EQ(reason(rfc::hs256_token, {.now = rfc::expires_at}), "it has expired.");
}

TEST(token, claims_come_back_as_they_were_signed) {
  const verification_key key(std::as_bytes(std::span(secret())));
  const std::string text = sign(R"({"typ": "JWT", "alg": "HS256", "kid": "k1"})", good_claims);
  const token parsed(text, size_limit);
  EXPECT_EQ(parsed.key_id(), "k1");
  EXPECT_EQ(parsed.verified_claims(key, {.now = now}), good_claims);
}

TEST(token, rfc_7519_unsecured_token_is_refused) {
  EXPECT_EQ(reason(rfc::unsecured_token), "alg is not that of the key, HS256.");
}

TEST(token, spellings_of_none_are_refused) {
  for (const char* algorithm : {"none", "None", "NONE", "nOnE", ""})
    EXPECT_NE(reason_for_header(std::string(R"({"alg": ")") + algorithm + "\"}"), "none")
        << algorithm;
}

TEST(token, the_algorithm_is_the_keys) {
  // the classic: an RSA public key taken for an HMAC secret would verify this
  EXPECT_EQ(reason_for_header(R"({"alg": "RS256"})"), "alg is not that of the key, HS256.");
  EXPECT_EQ(reason_for_header(R"({"alg": "HS512"})"), "alg is not that of the key, HS256.");
  EXPECT_EQ(reason(rfc::rs256_token), "alg is not that of the key, HS256.");
}

TEST(token, header_has_to_be_an_object_with_alg) {
  EXPECT_EQ(reason_for_header("[]"), "the header is not a JSON object.");
  EXPECT_EQ(reason_for_header("{}"), "the header has no alg.");
  EXPECT_EQ(reason_for_header(R"({"alg": 1})"), "the header has no alg.");
  EXPECT_EQ(reason_for_header(R"({"alg": ["HS256"]})"), "the header has no alg.");
  EXPECT_NE(reason_for_header(R"({"alg": "HS256")").find("invalid JSON"), std::string::npos);
  EXPECT_NE(reason_for_header(R"({"alg": "none", "alg": "HS256"})").find("Two members"),
            std::string::npos);
  EXPECT_NE(reason_for_header("{\"alg\": \"HS256\", \"x\": \"\xFF\"}").find("UTF-8"),
            std::string::npos);
}

TEST(token, extensions_nobody_understands_are_refused) {
  EXPECT_EQ(reason_for_header(R"({"alg": "HS256", "crit": ["exp"], "exp": 1})"),
            "the header has crit.");
  EXPECT_EQ(reason_for_header(R"({"alg": "HS256", "crit": []})"), "the header has crit.");
  EXPECT_EQ(reason_for_header(R"({"alg": "HS256", "b64": false})"), "the header has b64.");
}

TEST(token, keys_that_the_sender_offers_are_not_looked_at) {
  EXPECT_EQ(
      reason_for_header(R"({"alg": "HS256", "jwk": {"kty": "oct", "k": "AA"}, "jku": "https://x",
                                  "x5u": "https://x", "x5c": ["AA"]})"),
      "none");
}

TEST(token, key_id_is_a_short_string) {
  EXPECT_NE(reason_for_header(R"({"alg": "HS256", "kid": 1})"), "none");
  EXPECT_NE(reason_for_header(R"({"alg": "HS256", "kid": ""})"), "none");
  EXPECT_NE(reason_for_header(R"({"alg": "HS256", "kid": null})"), "none");
  EXPECT_NE(reason_for_header(R"({"alg": "HS256", "kid": ")" + std::string(257, 'x') + "\"}"),
            "none");
  EXPECT_EQ(reason_for_header(R"({"alg": "HS256", "kid": ")" + std::string(256, 'x') + "\"}"),
            "none");
}

TEST(token, has_exactly_three_parts) {
  const std::string good = sign(plain_header, good_claims);
  for (const std::string& text : {std::string(), std::string("."), std::string("a.b"), good + ".",
                                  good + ".x.y", "." + good, good.substr(0, good.rfind('.'))})
    EXPECT_EQ(reason(text), "it does not have three parts.") << text;
}

TEST(token, every_truncation_is_refused) {
  const std::string good = sign(plain_header, good_claims);
  ASSERT_EQ(reason(good), "none");
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(reason(good.substr(0, size)), "none") << size;
}

TEST(token, every_changed_character_is_refused) {
  const std::string good = sign(plain_header, good_claims);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char other : {'A', 'x', '_', '.', '=', '\0', ' '}) {
      std::string changed = good;
      changed[at] = other;
      if (changed != good) {
        EXPECT_NE(reason(changed), "none") << at << other;
      }
    }
  }
}

TEST(token, nothing_may_stand_around_it) {
  const std::string good = sign(plain_header, good_claims);
  for (const std::string& text :
       {" " + good, good + " ", good + "\n", good + "=", good + std::string(1, '\0')})
    EXPECT_NE(reason(text), "none");
}

TEST(token, is_not_larger_than_the_limit) {
  const std::string padding(6300, 'x');
  EXPECT_EQ(reason_for_claims(R"({"exp": 1700000060, "p": ")" + padding + "\"}"),
            "it is larger than vrm.max_token_bytes.");
}

TEST(token, claims_have_to_be_an_object) {
  EXPECT_EQ(reason_for_claims("[]"), "the payload is not a JSON object.");
  EXPECT_EQ(reason_for_claims("\"exp\""), "the payload is not a JSON object.");
  EXPECT_NE(reason_for_claims("").find("invalid JSON"), std::string::npos);
  EXPECT_NE(reason_for_claims(R"({"exp": 1700000060, "sub": "a", "sub": "b"})").find("Two members"),
            std::string::npos);
  EXPECT_NE(reason_for_claims(R"({"exp": 1700000060, "sub": "a\u0000b"})").find("NUL"),
            std::string::npos);
  EXPECT_NE(reason_for_claims(std::string_view("{\"exp\": 1700000060}\0", 20)), "none");
}

TEST(token, exp_is_required_and_a_number) {
  EXPECT_EQ(reason_for_claims(R"({"sub": "me"})"), "claim exp is missing.");
  EXPECT_EQ(reason_for_claims(R"({"exp": "1700000060"})"), "claim exp is not a number.");
  EXPECT_EQ(reason_for_claims(R"({"exp": null})"), "claim exp is not a number.");
  EXPECT_EQ(reason_for_claims(R"({"exp": [1700000060]})"), "claim exp is not a number.");
  EXPECT_NE(reason_for_claims(R"({"exp": 1e400})"), "none");
  EXPECT_EQ(reason_for_claims(R"({"exp": -1})"), "it has expired.");
  EXPECT_EQ(reason_for_claims(R"({"exp": 1.7000000605e9})"), "none");
}

TEST(token, clocks_may_differ_by_the_leeway_and_no_more) {
  EXPECT_EQ(reason_for_claims(R"({"exp": 1700000000})"), "it has expired.");
  EXPECT_EQ(reason_for_claims(R"({"exp": 1699999971})", {.now = now, .leeway = 30}), "none");
  EXPECT_EQ(reason_for_claims(R"({"exp": 1699999970})", {.now = now, .leeway = 30}),
            "it has expired.");
  EXPECT_EQ(
      reason_for_claims(R"({"exp": 1700000060, "nbf": 1700000030})", {.now = now, .leeway = 30}),
      "none");
  EXPECT_EQ(
      reason_for_claims(R"({"exp": 1700000060, "nbf": 1700000031})", {.now = now, .leeway = 30}),
      "it is not valid yet.");
}

TEST(token, nbf_and_iat_are_numbers_when_there) {
  EXPECT_EQ(reason_for_claims(R"({"exp": 1700000060, "nbf": "0"})"), "claim nbf is not a number.");
  EXPECT_EQ(reason_for_claims(R"({"exp": 1700000060, "iat": "0"})"), "claim iat is not a number.");
}

TEST(token, issuer_has_to_match_to_the_letter) {
  const claim_rules rules{.issuer = "https://issuer.example", .now = now};
  EXPECT_EQ(reason_for_claims(R"({"exp": 1700000060, "iss": "https://issuer.example"})", rules),
            "none");
  for (const char* issuer :
       {R"("https://issuer.example/")", R"("HTTPS://issuer.example")", "1", "null",
        R"(["https://issuer.example"])", R"("https://issuer.example ")"})
    EXPECT_EQ(
        reason_for_claims(std::string(R"({"exp": 1700000060, "iss": )") + issuer + "}", rules),
        "it is from another issuer.")
        << issuer;
  EXPECT_EQ(reason_for_claims(good_claims, rules), "it is from another issuer.");
}

TEST(token, audience_is_a_string_or_among_an_array) {
  const claim_rules rules{.audience = "authenticated", .now = now};
  for (const char* audience : {R"("authenticated")", R"(["other", "authenticated"])"})
    EXPECT_EQ(
        reason_for_claims(std::string(R"({"exp": 1700000060, "aud": )") + audience + "}", rules),
        "none");
  for (const char* audience :
       {R"("other")", R"(["other"])", "[]", "{}", R"({"authenticated": true})", "null",
        R"([["authenticated"]])", R"("not authenticated")"})
    EXPECT_EQ(
        reason_for_claims(std::string(R"({"exp": 1700000060, "aud": )") + audience + "}", rules),
        "it is for another audience.")
        << audience;
  EXPECT_EQ(reason_for_claims(good_claims, rules), "it is for another audience.");
}

TEST(token, claims_that_make_no_identity_are_refused) {
  EXPECT_NE(reason_for_claims(R"({"exp": 1700000060, "role": 7})"), "none");
}

}  // namespace
}  // namespace vrm::jose
