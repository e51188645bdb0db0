#include "core/platform/uuid.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using random_bits = std::array<std::uint8_t, 8>;

constexpr random_bits all_ones = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
constexpr random_bits rfc_random = {0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F};

// RFC 9562, appendix A.6: unix_ts_ms 0x017F22E279B0, rand_b 0x18C4DC0C0C07398F.
TEST(Uuid7, HoldsTheMomentOfTheExampleInRfc9562) {
  const vrm::uuid made = vrm::uuid7(0x017F22E279B0ULL * 1'000'000, rfc_random);
  EXPECT_EQ(made, vrm::parse_uuid("017F22E2-79B0-7000-98C4-DC0C0C07398F"));
}

TEST(Uuid7, SetsVersionAndVariantWhateverTheRandomBits) {
  const vrm::uuid made = vrm::uuid7(~0ULL, all_ones);
  EXPECT_EQ(made.bytes[6] >> 4, 7);
  EXPECT_EQ(made.bytes[8] >> 6, 2);
}

TEST(Uuid7, SortsByTimeWithinAMillisecond) {
  const std::uint64_t start = 1'700'000'000'000'000'000ULL;
  vrm::uuid before = vrm::uuid7(start, all_ones);
  for (std::uint64_t later = start + 250; later < start + 3'000'000; later += 250) {
    const vrm::uuid next = vrm::uuid7(later, rfc_random);
    ASSERT_TRUE(std::ranges::lexicographical_compare(std::span(before.bytes).first<8>(),
                                                     std::span(next.bytes).first<8>()));
    before = next;
  }
}

TEST(ParseUuid, ReadsTheCanonicalFormOnly) {
  EXPECT_TRUE(vrm::parse_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").has_value());
  for (const char* bad :
       {"", "017f22e279b07cc398c4dc0c0c07398f", "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f ",
        "017f22e2+79b0-7cc3-98c4-dc0c0c07398f"}) {
    EXPECT_FALSE(vrm::parse_uuid(bad).has_value()) << bad;
  }
}

TEST(Uuid, IsWrittenInTheCanonicalForm) {
  constexpr const char* text = "018f0000-0a1b-7c2d-8e3f-4051627384fa";
  EXPECT_EQ(vrm::to_string(*vrm::parse_uuid(text)), text);
}

}  // namespace
