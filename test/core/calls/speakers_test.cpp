// Whom the words of the usual platforms mean.
#include "core/calls/speakers.h"

#include <gtest/gtest.h>

namespace {

using vrm::role_of_speaker;
using enum vrm::speaker_role;

TEST(Speaker, IsKnownInAnyCaseAndWithAnySeparator) {
  for (const char* word : {"Agent", "AGENT", "assistant", "Bot", "ai", "INTERNAL",
                           "automated_agent", "Automated Agent", "automated-agent"}) {
    EXPECT_EQ(role_of_speaker(word), agent) << word;
  }
  for (const char* word : {"Customer", "user", "CALLER", "human", "external", "End User"}) {
    EXPECT_EQ(role_of_speaker(word), customer) << word;
  }
  EXPECT_EQ(role_of_speaker("tool_calls"), tool);
  EXPECT_EQ(role_of_speaker("System"), system);
}

TEST(Speaker, IsNobodyByOtherWords) {
  for (const char* word : {"", "Anna", "agents", "agent ", "\xC3\x84gent",
                           "a word that is longer than all of them are"}) {
    EXPECT_FALSE(role_of_speaker(word).has_value()) << word;
  }
}

TEST(Role, IsOneOfFour) {
  EXPECT_EQ(vrm::role_called("agent"), agent);
  EXPECT_EQ(vrm::role_called("system"), system);
  EXPECT_FALSE(vrm::role_called("Agent").has_value());
  EXPECT_FALSE(vrm::role_called("assistant").has_value());
  EXPECT_EQ(vrm::name_of(tool), "tool");
}

TEST(Key, HasSmallAsciiLettersAndUnderscores) {
  EXPECT_EQ(vrm::speaker_key("End-User Two"), "end_user_two");
  EXPECT_EQ(vrm::speaker_key("\xC3\x84"), "\xC3\x84");
}

}  // namespace
