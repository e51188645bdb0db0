// Keys, tickets and device tokens: nobody can make one, and none is good for somebody else.
#include "core/accounts/lockout_ticket.h"

#include <gtest/gtest.h>

#include "core/platform/error.h"

namespace {

using namespace vrm::lockout;  // NOLINT(google-build-using-namespace): these are its tests

std::array<std::byte, 32> secret(int seed) {
  std::array<std::byte, 32> made{};
  made[0] = static_cast<std::byte>(seed);
  return made;
}

vrm::byte_view bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

struct LockoutTicket : testing::Test {
  std::array<std::byte, 32> ours = secret(1);
  std::array<std::byte, 32> theirs = secret(2);
  keyed_hash hash{ours};
  keyed_hash other{theirs};
};

TEST_F(LockoutTicket, KeysDependOnKindIdentifierAndSecret) {
  const key alice = hash.key_of(kind::password, "alice");
  EXPECT_EQ(alice, hash.key_of(kind::password, "alice"));
  EXPECT_NE(alice, hash.key_of(kind::password, "bob"));
  EXPECT_NE(alice, hash.key_of(kind::totp, "alice"));
  EXPECT_NE(alice, other.key_of(kind::password, "alice"));
}

TEST_F(LockoutTicket, ReadsItsOwnTickets) {
  const ticket given{.type = kind::totp,
                     .began = 42,
                     .first = hash.key_of(kind::totp, "alice"),
                     .network = hash.key_of(kind::ip, "10.0.0.1")};
  const ticket read = hash.read(bytes_of(hash.write(given)));
  EXPECT_EQ(read.type, given.type);
  EXPECT_EQ(read.began, given.began);
  EXPECT_EQ(read.first, given.first);
  EXPECT_EQ(read.network, given.network);
}

TEST_F(LockoutTicket, RefusesWhatItHasNotWritten) {
  const std::string good = hash.write({.began = 42});
  EXPECT_THROW((void)other.read(bytes_of(good)), vrm::error);
  EXPECT_THROW((void)hash.read(bytes_of(good.substr(1))), vrm::error);
  EXPECT_THROW((void)hash.read({}), vrm::error);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_THROW((void)hash.read(bytes_of(bad)), vrm::error) << i;
  }
}

TEST_F(LockoutTicket, DeviceTokensAreGoodForOneIdentifierInOneCluster) {
  constexpr std::uint64_t cluster = 7'000'000'000'000'000'001;
  const std::array<std::byte, 16> device{std::byte{7}};
  const std::string token = hash.device_token(device, "alice", cluster);
  EXPECT_EQ(hash.device_of(token, "alice", cluster).value_or("").front(), 7);
  EXPECT_FALSE(hash.device_of(token, "bob", cluster).has_value());
  EXPECT_FALSE(other.device_of(token, "alice", cluster).has_value());
  EXPECT_FALSE(hash.device_of(token, "alice", cluster + 1).has_value());
  EXPECT_FALSE(hash.device_of(token, "alice", cluster ^ (1ULL << 63U)).has_value());
  EXPECT_FALSE(hash.device_of("", "alice", cluster).has_value());
  EXPECT_FALSE(hash.device_of("not a token", "alice", cluster).has_value());
}

TEST_F(LockoutTicket, KnowsItsKinds) {
  EXPECT_EQ(kind_named("password"), kind::password);
  EXPECT_EQ(kind_named("session"), kind::session);
  EXPECT_THROW((void)kind_named("guess"), vrm::error);
  EXPECT_THROW((void)kind_named(""), vrm::error);
}

}  // namespace
