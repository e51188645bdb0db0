// Password hashes: what is made can be verified, and what would cost too much is not even begun.
#include "core/accounts/passwords.h"

#include <gtest/gtest.h>

#include "core/platform/error.h"

namespace {

namespace passwords = vrm::passwords;

TEST(Passwords, MatchTheirHash) {
  const std::string made = passwords::hash("correct horse");
  EXPECT_TRUE(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_TRUE(passwords::matches(made, "correct horse"));
  EXPECT_FALSE(passwords::matches(made, "correct horsf"));
  EXPECT_FALSE(passwords::matches(made, ""));
  EXPECT_FALSE(passwords::is_outdated(made));
  EXPECT_NE(made, passwords::hash("correct horse"));
}

// Of the reference implementation (phc-winner-argon2, src/test.c) and of its command line tool.
TEST(Passwords, VerifyArgon2OfOthers) {
  const char* const reference =
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  EXPECT_TRUE(passwords::matches(reference, "password"));
  EXPECT_FALSE(passwords::matches(reference, "Password"));
  EXPECT_TRUE(passwords::is_outdated(reference));
  const char* const two_lanes =
      "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc";
  EXPECT_TRUE(passwords::matches(two_lanes, "password"));
}

TEST(Passwords, VerifyBcrypt) {
  const char* const hash = "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a";
  EXPECT_TRUE(passwords::matches(hash, "U*U*U"));
  EXPECT_FALSE(passwords::matches(hash, "U*U*V"));
  EXPECT_FALSE(passwords::matches(hash, std::string_view("U*U*U\0", 6)));
  EXPECT_TRUE(passwords::is_outdated(hash));
}

// It looks at 72 bytes, and so does everybody who has ever verified such a hash.
TEST(Passwords, CutWhatBcryptDoesNotLookAt) {
  const char* const hash = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";
  for (const std::size_t size : {72U, 73U, 511U, 512U, 4096U, 100000U}) {
    EXPECT_TRUE(passwords::matches(hash, std::string(size, 'x'))) << size;
  }
  EXPECT_FALSE(passwords::matches(hash, std::string(71, 'x')));
  EXPECT_FALSE(passwords::matches(hash, std::string(71, 'x') + "y" + std::string(600, 'x')));
}

TEST(Passwords, RefuseWhatCannotBeUsedAtOnce) {
  const std::string tail = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  for (const std::string& hostile : {
           std::string("$2b$31$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
           std::string("$2b$15$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
           std::string("$2b$xx$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
           "$argon2id$v=19$m=262145,t=2,p=1" + tail,
           "$argon2id$v=19$m=4294967295,t=2,p=1" + tail,
           "$argon2id$v=19$m=4294967296,t=2,p=1" + tail,
           "$argon2id$v=19$m=256,t=21,p=1" + tail,
           "$argon2id$v=19$m=256,t=2,p=17" + tail,
           "$argon2id$v=19$m=0,t=0,p=0" + tail,
           "$argon2id$v=16$m=256,t=2,p=1" + tail,
           "$argon2i$v=19$m=256,t=2,p=1" + tail,
           std::string("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ"),
           std::string("$argon2id$v=19$m=256,t=2,p=1$$"),
           std::string("$argon2id$v=19$m=256,t=2,p=1$!!!!$!!!!"),
           std::string("$1$salt$hash"),
           std::string(),
       }) {
    EXPECT_THROW((void)passwords::matches(hostile, "password"), vrm::error) << hostile;
    EXPECT_TRUE(hostile.starts_with("$argon2id") || passwords::is_outdated(hostile));
  }
}

TEST(Passwords, HaveALongestLength) {
  EXPECT_THROW((void)passwords::hash(std::string(4097, 'x')), vrm::error);
  const std::string longest(4096, 'x');
  EXPECT_TRUE(passwords::matches(passwords::hash(longest), longest));
}

}  // namespace
