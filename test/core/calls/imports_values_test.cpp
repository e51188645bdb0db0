// Times, durations and words in all the forms that sources write them in.
#include "core/calls/imports_values.h"

#include <gtest/gtest.h>

namespace vrm::imports {
namespace {

constexpr moment noon = 1'787'000'000'250;  // 2026-08-17T20:53:20.25Z

TEST(imports_values, decimals_are_scaled_without_a_detour_over_binary) {
  EXPECT_EQ(scaled("1.0005", 3), 1001);
  EXPECT_EQ(scaled("1.00049", 3), 1000);
  EXPECT_EQ(scaled("-1.0005", 3), -1000) << "halves go up";
  EXPECT_EQ(scaled("-1.00051", 3), -1001);
  EXPECT_EQ(scaled("0.0004", 3), 0);
  EXPECT_EQ(scaled("1e3", 0), 1000);
  EXPECT_EQ(scaled("12.5E-1", 0), 1);
  EXPECT_EQ(scaled("5e-1", 0), 1);
  EXPECT_EQ(scaled("9223372036854775807", 0), 9'223'372'036'854'775'807);
  for (const char* bad :
       {"", "-", ".", "1.2.3", "0x1", "1e", "9223372036854775808", "1e400", "nan"})
    EXPECT_FALSE(scaled(bad, 0)) << bad;
}

TEST(imports_values, moments_are_read_in_every_usual_form) {
  for (const char* text :
       {"2026-08-17T20:53:20.250Z", "2026-08-17T20:53:20.25", "2026-08-17 22:53:20.25+02:00",
        "2026-08-17t20:53:20,2499999z", "2026-08-17T16:53:20.25-0400", "2026-08-17T22:53:20.25 +02",
        "1787000000.25", "1787000000250", "1.78700000025e9", " 2026-08-17T20:53:20.25Z "})
    EXPECT_EQ(parse_moment(text), noon) << text;
  for (const char* text : {"Mon, 17 Aug 2026 20:53:20 +0000", "17 Aug 2026 20:53:20 GMT",
                           "Mon, 17 Aug 2026 16:53:20 EDT", "2026-08-17T20:53:20", "1787000000"})
    EXPECT_EQ(parse_moment(text), noon - 250) << text;
  EXPECT_EQ(parse_moment("1970-01-01"), 0);
  EXPECT_EQ(parse_moment("2026-08-17T20:53"), noon - 20'250);
  EXPECT_EQ(parse_moment("2024-02-29T00:00:00Z"), 1'709'164'800'000);
}

TEST(imports_values, what_is_no_moment_is_none) {
  for (const char* text :
       {"", "now", "infinity", "-infinity", "-1", "NaN", "2026-02-29", "2026-13-01",
        "2026-08-17T24:00", "2026-08-17T20:60:00", "1969-12-31T23:59:59Z", "10000-01-01",
        "99999999999999999", "2026-08-17T20:53:20+99:00", "2026-08-17T20:53:20Zoo",
        "17 Foo 2026 20:53:20 GMT", "17 ana 2026 20:53:20 GMT",

        "1e300", "2026-08-17T"})
    EXPECT_FALSE(parse_moment(text)) << text;
}

TEST(imports_values, durations_are_read_in_every_usual_form) {
  for (const char* text :
       {"107.412", "107.412s", "107412ms", "107412 ms", "1m47.412s", "1 min 47,412 sec",
        "PT1M47.412S", "pt107.412s", "1:47.412", "0:01:47.412", "01:47.412"})
    EXPECT_EQ(parse_length(text, 3), 107'412) << text;
  EXPECT_EQ(parse_length("107412", 0), 107'412);
  EXPECT_EQ(parse_length("P1DT2H", 3), 26 * 3'600'000);
  EXPECT_EQ(parse_length("1:02:05", 3), 3'725'000);
  EXPECT_EQ(parse_length("90:00", 3), 5'400'000);
  for (const char* text : {"", "-1", "-1s", "1:60", "1:2:3:4", "P1M", "PT", "1x", "s", "1:", ":1",
                           "1e20", "9999999d", "1m2", "infinity"})
    EXPECT_FALSE(parse_length(text, 3)) << text;
}

TEST(imports_values, words_are_folded) {
  for (const char* word : {"customerEndedCall", "CUSTOMER_ENDED_CALL", "customer.ended call",
                           " Customer-Ended--Call "})
    EXPECT_EQ(folded(word), "customer-ended-call") << word;
  EXPECT_EQ(folded("SIT_TONE_BUSY"), "sit-tone-busy");
  EXPECT_EQ(folded("error-503"), "error-503");
  EXPECT_EQ(folded(""), "");
}

TEST(imports_values, patterns_match_whole_texts) {
  EXPECT_TRUE(matches("*-sip-480-*", "error-sip-480-x"));
  EXPECT_FALSE(matches("*-sip-480-*", "error-sip-48-x"));
  EXPECT_TRUE(matches("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(matches("a*b*c", "a-c"));
  EXPECT_FALSE(matches("ab*ba", "aba")) << "no letter serves twice";
  EXPECT_TRUE(matches("*", ""));
  EXPECT_FALSE(matches("voicemail", "voicemail-reached"));
}

TEST(imports_values, roles_and_sentiments_are_known_in_any_spelling) {
  for (const char* word :
       {"Agent", "assistant", "BOT", "automated_agent", "CUSTOM_BOT", "internal"})
    EXPECT_EQ(role_of(word), speaker_role::agent) << word;
  for (const char* word :
       {"user", "endUser", "end_user", "CUSTOMER", "Caller", "human", "external"})
    EXPECT_EQ(role_of(word), speaker_role::customer) << word;
  EXPECT_EQ(role_of("moth"), speaker_role::unknown);
  EXPECT_EQ(sentiment_of("Very Positive"), "positive");
  EXPECT_EQ(sentiment_of("MIXED"), "neutral");
  EXPECT_EQ(sentiment_of("Unknown"), "none");
  EXPECT_EQ(sentiment_of("wistful"), "");
}

}  // namespace
}  // namespace vrm::imports
