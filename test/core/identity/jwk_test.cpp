// Keys in JSON, and that what is wrong with one is named.
#include "core/identity/jwk.h"

#include <gtest/gtest.h>

#include "core/platform/base64.h"
#include "core/platform/error.h"
#include "rfc_examples.h"

namespace vrm::jose {
namespace {

verification_key key_of(std::string_view jwk) {
  const json::document document(jwk);
  return verification_key(document.root());
}

std::string bytes_of(std::string_view text) { return decode_base64url(text).value(); }

bool verifies(const verification_key& key, std::string_view message, std::string_view signature) {
  return key.verifies(message, std::as_bytes(std::span(signature)));
}

bool verifies(const verification_key& key, std::string_view token) {
  const std::size_t dot = token.rfind('.');
  return verifies(key, token.substr(0, dot), bytes_of(token.substr(dot + 1)));
}

/// The DETAIL with which a key set is refused.
std::string complaint(std::string_view key_set) {
  try {
    (void)read_key_set(key_set);
    return "none";
  } catch (const vrm::error& e) {
    EXPECT_EQ(e.state().text(), "22023");
    return e.detail();
  }
}

std::string complaint_about_key(const std::string& members) {
  return complaint(R"({"keys": [{"kid": "k", )" + members + "}]}");
}

TEST(jwk, verifies_the_rfc_7515_examples) {
  const std::string secret = bytes_of(rfc::hs256_secret);
  EXPECT_TRUE(verifies(verification_key(std::as_bytes(std::span(secret))), rfc::hs256_token));
  EXPECT_TRUE(verifies(key_of(rfc::rs256_jwk), rfc::rs256_token));
  EXPECT_TRUE(verifies(key_of(rfc::es256_jwk), rfc::es256_token));
}

TEST(jwk, verifies_the_rfc_8037_example) {
  EXPECT_TRUE(verifies(key_of(rfc::eddsa_jwk), rfc::eddsa_signed, bytes_of(rfc::eddsa_signature)));
}

TEST(jwk, a_key_verifies_again_and_again) {
  const std::string secret = bytes_of(rfc::hs256_secret);
  const verification_key key(std::as_bytes(std::span(secret)));
  EXPECT_TRUE(verifies(key, rfc::hs256_token));
  EXPECT_FALSE(verifies(key, std::string(rfc::hs256_token).replace(30, 1, "x")));
  EXPECT_TRUE(verifies(key, rfc::hs256_token));
}

TEST(jwk, one_changed_bit_is_noticed) {
  const std::pair<std::string_view, std::string_view> examples[] = {
      {rfc::rs256_jwk, rfc::rs256_token}, {rfc::es256_jwk, rfc::es256_token}};
  for (const auto& [jwk, token] : examples) {
    const verification_key key = key_of(jwk);
    const std::size_t dot = token.rfind('.');
    std::string signature = bytes_of(token.substr(dot + 1));
    std::string message(token.substr(0, dot));
    signature[10] = static_cast<char>(signature[10] ^ 1);
    EXPECT_FALSE(verifies(key, message, signature));
    signature[10] = static_cast<char>(signature[10] ^ 1);
    message[25] = static_cast<char>(message[25] ^ 1);
    EXPECT_FALSE(verifies(key, message, signature));
  }
}

TEST(jwk, signatures_of_the_wrong_size_do_not_verify) {
  const std::string signature = bytes_of(rfc::eddsa_signature);
  for (const std::string_view jwk : {rfc::rs256_jwk, rfc::es256_jwk, rfc::eddsa_jwk}) {
    const verification_key key = key_of(jwk);
    EXPECT_FALSE(verifies(key, rfc::eddsa_signed, ""));
    EXPECT_FALSE(verifies(key, rfc::eddsa_signed, signature.substr(1)));
    EXPECT_FALSE(verifies(key, rfc::eddsa_signed, signature + "x"));
    EXPECT_FALSE(verifies(key, rfc::eddsa_signed, std::string(64, '\0')));
  }
}

TEST(jwk, es256_takes_r_and_s_side_by_side_and_no_der) {
  const std::size_t dot = rfc::es256_token.rfind('.');
  const std::string raw = bytes_of(rfc::es256_token.substr(dot + 1));
  // both halves of this signature begin with a clear top bit or get a leading zero in DER
  std::string der = "\x30";
  std::string body;
  for (const std::string& half : {raw.substr(0, 32), raw.substr(32)}) {
    const std::string number = (half[0] & 0x80) != 0 ? '\0' + half : half;
    body += '\2';
    body += static_cast<char>(number.size());
    body += number;
  }
  der += static_cast<char>(body.size());
  der += body;
  EXPECT_FALSE(verifies(key_of(rfc::es256_jwk), rfc::es256_token.substr(0, dot), der));
}

TEST(jwk, es256_accepts_the_negative_of_s_too) {
  const std::size_t dot = rfc::es256_token.rfind('.');
  std::string raw = bytes_of(rfc::es256_token.substr(dot + 1));
  const std::string order = bytes_of("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE");
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int difference =
        static_cast<unsigned char>(order[i]) - static_cast<unsigned char>(raw[32 + i]) - borrow;
    borrow = difference < 0 ? 1 : 0;
    raw[32 + i] = static_cast<char>(difference);
  }
  EXPECT_TRUE(verifies(key_of(rfc::es256_jwk), rfc::es256_token.substr(0, dot), raw));
}

TEST(jwk, names_are_those_of_the_rfcs) {
  EXPECT_TRUE(is_named(algorithm::eddsa, "EdDSA"));
  EXPECT_TRUE(is_named(algorithm::eddsa, "Ed25519"));
  EXPECT_TRUE(is_named(algorithm::hs256, "HS256"));
  for (const char* other : {"", "none", "hs256", "HS384", "RS256", "HS256 "})
    EXPECT_FALSE(is_named(algorithm::hs256, other)) << other;
}

TEST(jwk, reads_a_set_and_leaves_out_encryption_keys) {
  std::string set = R"({"keys": [)";
  for (const std::string_view jwk : {rfc::rs256_jwk, rfc::es256_jwk, rfc::eddsa_jwk}) {
    set.append(jwk.substr(0, jwk.size() - 1));
    set += R"(, "kid": ")" + std::to_string(set.size()) + R"(", "use": "sig"},)";
  }
  set += R"({"kty": "RSA", "use": "enc", "kid": "other"}, {"kty": "oct", "kid": "secret", "k": ")" +
         std::string(rfc::hs256_secret) + R"("}]})";
  const std::vector<key_description> keys = read_key_set(set);
  ASSERT_EQ(keys.size(), 4U);
  EXPECT_EQ(keys[0].type, algorithm::rs256);
  EXPECT_EQ(keys[1].type, algorithm::es256);
  EXPECT_EQ(keys[2].type, algorithm::eddsa);
  EXPECT_EQ(keys[3].type, algorithm::hs256);
  EXPECT_EQ(keys[3].secret, bytes_of(rfc::hs256_secret));
  EXPECT_EQ(keys[3].public_jwk, "") << "a secret must not be kept as plain text";
  for (const key_description& key : keys) {
    if (key.secret.empty()) {
      EXPECT_EQ(key_of(key.public_jwk).type(), key.type);
    }
  }
}

TEST(jwk, a_bad_set_names_the_key_and_the_member) {
  EXPECT_EQ(complaint("[]"), R"(Member "keys" is not an array.)");
  EXPECT_EQ(complaint(R"({"keys": {}})"), R"(Member "keys" is not an array.)");
  EXPECT_EQ(complaint(R"({"keys": [1]})"),
            R"(Key 1: Member "keys" has an element that is not an object.)");
  EXPECT_EQ(complaint(R"({"keys": [{"kty": "EC"}]})"), R"(Key 1: Member "kid" is missing.)");
  EXPECT_EQ(complaint_about_key(R"("x": 1)"), R"(Key 1 (kid "k"): Member "kty" is missing.)");
  EXPECT_EQ(complaint_about_key(R"("kty": "EC", "crv": "P-384")"),
            R"(Key 1 (kid "k"): Member "crv" is not "P-256".)");
  EXPECT_EQ(complaint_about_key(R"("kty": "EC", "crv": "P-256", "x": "AA")"),
            R"(Key 1 (kid "k"): Member "x" is not of 32 bytes.)");
  EXPECT_EQ(complaint_about_key(R"("kty": "RSA", "n": "??", "e": "AQAB")"),
            R"(Key 1 (kid "k"): Member "n" is not base64url.)");
  EXPECT_EQ(complaint_about_key(R"("kty": "oct", "k": "c2hvcnQ")"),
            R"(Key 1 (kid "k"): Member "k" is shorter than 32 bytes.)");
  EXPECT_EQ(complaint_about_key(R"("kty": "dsa")"),
            R"(Key 1 (kid "k"): Member "kty" )"
            "is not a type of public key that is supported (RSA, EC, OKP).");
}

TEST(jwk, refuses_keys_that_are_weak_or_for_something_else) {
  const std::string curve =
      R"("kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", )";
  const std::string point = curve + R"("y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")";
  EXPECT_EQ(complaint_about_key(point), "none");
  EXPECT_NE(complaint_about_key(curve + R"("y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4")")
                .find("no point"),
            std::string::npos);
  EXPECT_NE(complaint_about_key(point + R"(, "alg": "HS256")").find("\"alg\""), std::string::npos);
  EXPECT_NE(complaint_about_key(point + R"(, "key_ops": ["sign"])").find("key_ops"),
            std::string::npos);
  EXPECT_NE(complaint_about_key(point + R"(, "use": "other")").find("\"use\""), std::string::npos);
  EXPECT_NE(complaint_about_key(point + R"(, "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")")
                .find("private"),
            std::string::npos);
  const std::string short_modulus(168, 'x');  // 1008 bits
  EXPECT_NE(complaint_about_key(R"("kty": "RSA", "e": "AQAB", "n": ")" + short_modulus + "\"")
                .find("2048"),
            std::string::npos);
  EXPECT_NE(complaint(R"({"keys": [{"kid": "k", )" + point + R"(}, {"kid": "k", )" + point + "}]}")
                .find("same"),
            std::string::npos);
}

TEST(jwk, refuses_an_rsa_exponent_of_one) {
  std::string jwk(rfc::rs256_jwk);
  jwk.replace(jwk.find("AQAB"), 4, "AQ");
  EXPECT_THROW((void)key_of(jwk), vrm::error);
}

}  // namespace
}  // namespace vrm::jose
