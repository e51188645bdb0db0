// Dictionaries have what many tenants say, and nothing that fewer do.
#include "core/retention/shared_phrases.h"

#include <gtest/gtest.h>

namespace {

std::string content_of(std::uint32_t tenants, std::size_t most_bytes = 1000) {
  vrm::shared_phrases phrases;
  for (std::uint32_t tenant = 0; tenant < 6; ++tenant) {
    phrases.next_tenant();
    for (int use = 0; use < 3; ++use) {
      phrases.add("How can I help you today?");
      if (tenant < 5) phrases.add("Please hold the line, Anna.");
      if (tenant == 2) phrases.add("My secret garden is in Utrecht.");
      phrases.add("Call 0301234567 or write to a@example.org now please");
    }
  }
  EXPECT_EQ(phrases.tenants(), 6U);
  return phrases.content(tenants, most_bytes);
}

TEST(SharedPhrases, AreThoseOfManyTenants) {
  const std::string content = content_of(6);
  EXPECT_NE(content.find("How can I help you today?"), std::string::npos);
  EXPECT_EQ(content.find("hold"), std::string::npos);
  EXPECT_NE(content_of(5).find("Please hold the line, Anna."), std::string::npos);
  EXPECT_EQ(content_of(5).find("secret"), std::string::npos);
  EXPECT_EQ(content_of(5).find("Utrecht"), std::string::npos);
  // However often one tenant says it.
  EXPECT_NE(content_of(1).find("Utrecht"), std::string::npos);
}

TEST(SharedPhrases, HaveNoNumbersAndAddresses) {
  const std::string content = content_of(1);
  EXPECT_EQ(content.find_first_of("0123456789@"), std::string::npos);
  EXPECT_NE(content.find("or write to"), std::string::npos);
  EXPECT_NE(content.find("now please"), std::string::npos);
  // Words on both sides of what is left out are no phrase.
  EXPECT_EQ(content.find("to now"), std::string::npos);
  EXPECT_EQ(content.find("Call or"), std::string::npos);
}

TEST(SharedPhrases, AreInOrderAndWithinBounds) {
  const std::string whole = content_of(5);
  const std::string most = content_of(5, 40);
  EXPECT_LE(most.size(), 40U);
  EXPECT_TRUE(whole.ends_with(most));
  EXPECT_TRUE(most.ends_with("\n"));
  EXPECT_EQ(content_of(5), whole);
  EXPECT_EQ(content_of(7), "");
}

}  // namespace
