// What becomes of Amazon Connect's contacts and Contact Lens' analyses.
#include "imports_reading.h"

namespace vrm::imports::test {
namespace {

constexpr std::string_view contact = R"({"ContactId": "c-11", "Channel": "VOICE",
  "InitiationMethod": "INBOUND", "InitiationTimestamp": "2026-08-17T20:53:20Z",
  "ConnectedToSystemTimestamp": "2026-08-17T20:53:21Z",
  "DisconnectTimestamp": "2026-08-17T20:54:20Z", "LastUpdateTimestamp": "2026-08-17T20:56:00Z",
  "DisconnectReason": "CUSTOMER_DISCONNECT", "CustomerEndpoint": {"Address": "+15550150"},
  "SystemEndpoint": {"Address": "+15550102"},
  "Queue": {"EnqueueTimestamp": "2026-08-17T20:53:25Z"},
  "Agent": {"ConnectedToAgentTimestamp": "2026-08-17T20:53:30Z"}})";

constexpr std::string_view analysis = R"({"JobStatus": "COMPLETED", "Version": "1.1.0",
  "CustomerMetadata": {"ContactId": "c-11"}, "ContentMetadata": {"Output": "Redacted"},
  "Participants": [{"ParticipantId": "p-1", "ParticipantRole": "AGENT"}],
  "Transcript": [
    {"Id": "s1", "ParticipantId": "p-1", "Content": "Library, how can I help?",
     "BeginOffsetMillis": 250, "EndOffsetMillis": 2400, "Sentiment": "NEUTRAL"},
    {"Id": "s2", "ParticipantId": "CUSTOMER", "Content": "I am [PII].",
     "BeginOffsetMillis": 2100, "EndOffsetMillis": 4000, "Sentiment": "POSITIVE"}],
  "ConversationCharacteristics": {
    "Sentiment": {"OverallSentiment": {"AGENT": 0.2, "CUSTOMER": 2.5}},
    "Interruptions": {"TotalCount": 1, "InterruptionsByInterrupter": {"CUSTOMER": [
      {"BeginOffsetMillis": 2100, "DurationMillis": 300, "EndOffsetMillis": 2400}]}},
    "ContactSummary": {"PostContactSummary": {"Content": "A reader called."}}}})";

std::string both() {
  return R"({"contact": )" + std::string(contact) + R"(, "analysis": )" + std::string(analysis) +
         "}";
}

constexpr std::string_view words =
    R"("customer":"+15550150","duration":"1:00","sentiment":"positive","agent":{"number":"+15550102"},)"
    R"("transcript":[)"
    R"({"speaker":"Agent","message":"Library, how can I help?","time":"00:00","ms":250,)"
    R"("endMs":2400,"role":"agent","interrupted":true,"sentiment":"neutral"},)"
    R"({"speaker":"Customer","message":"I am [PII].","time":"00:02","ms":2100,"endMs":4000,)"
    R"("role":"customer","sentiment":"positive"}],"redacted":true,"insights":[{"type":"summary",)"
    R"("value":"A reader called.","description":"Contact Lens' summary of the call"}]})";

TEST(imports_connect, reads_a_contact_with_its_analysis) {
  EXPECT_EQ(call_of(source::connect, both()),
            R"({"externalId":"c-11","startedAt":1787000000000,"endedAt":1787000060000,)"
            R"("status":"completed","endedReason":"CUSTOMER_DISCONNECT","direction":"inbound",)"
            "" + std::string(words));
}

TEST(imports_connect, the_parts_know_that_they_are_parts) {
  const auto alone = read_text_of(source::connect, analysis);
  EXPECT_EQ(alone.what, disposition::part);
  EXPECT_EQ(alone.external_id, "c-11");
  EXPECT_EQ(alone.turns.size(), 2U);
  const auto record = read_text_of(source::connect, contact);
  EXPECT_EQ(record.what, disposition::call);
  EXPECT_TRUE(record.turns.empty());
  EXPECT_EQ(record.clock, 1'787'000'160'000);
}

TEST(imports_connect, the_name_of_its_file_tells_which_call_an_analysis_is_of) {
  const std::string kept =
      with(with(analysis, R"("CustomerMetadata": {"ContactId": "c-11"}, )", ""), "{",
           R"({"key": "Analysis/Voice/2026/08/17/c-11_analysis_2026-08-17T20_53_20Z.json", )");
  const auto read = read_text_of(source::connect, kept);
  EXPECT_EQ(read.what, disposition::call);
  EXPECT_EQ(read.external_id, "c-11");
  EXPECT_EQ(read.started_at, 1'787'000'000'000);
  EXPECT_TRUE(read.is_guess) << "the contact knows better";
  EXPECT_EQ(read.status, "");
}

TEST(imports_connect, reads_contacts_of_the_api_and_real_time_segments) {
  EXPECT_EQ(value_of(source::connect, R"({"Contact": {"Id": "c-12", "Channel": "VOICE",
      "InitiationMethod": "API", "InitiationTimestamp": 1787000000,
      "DisconnectTimestamp": 1787000030.0}})",
                     "direction"),
            R"("outbound")");
  const auto read = read_text_of(source::connect, R"({"ContactId": "c-12", "Segments": [
      {"Transcript": {"ParticipantId": "p", "ParticipantRole": "SUPERVISOR", "Content": "Yes.",
                      "BeginOffsetMillis": 1, "EndOffsetMillis": 2}}, {"Categories": {}}]})");
  ASSERT_EQ(read.turns.size(), 1U);
  EXPECT_EQ(read.turns[0].role, speaker_role::agent);
}

TEST(imports_connect, tells_how_a_call_ended) {
  const auto end_of = [](std::string_view what, std::string_view instead) {
    const auto read = read_text_of(source::connect, with(contact, what, instead));
    return read.status + " " + read.outcome;
  };
  EXPECT_EQ(end_of("CUSTOMER_DISCONNECT", "TELECOM_PROBLEM"), "failed failed");
  const auto detected = [&](std::string_view what) {
    return end_of("\"Channel\"", R"("AnsweringMachineDetectionStatus": ")" + std::string(what) +
                                     R"(", "Channel")");
  };
  EXPECT_EQ(detected("AMD_UNANSWERED"), "failed no_answer");
  EXPECT_EQ(detected("SIT_TONE_BUSY"), "failed no_answer");
  EXPECT_EQ(detected("SIT_TONE_INVALID_NUMBER"), "failed failed");
  EXPECT_EQ(detected("VOICEMAIL_NO_BEEP"), "completed voicemail");
  EXPECT_EQ(detected("HUMAN_ANSWERED"), "completed ");
  EXPECT_EQ(
      end_of("\"Channel\"", R"("TransferCompletedTimestamp": "2026-08-17T20:54:00Z", "Channel")"),
      "completed transferred");
  EXPECT_EQ(end_of("\"Agent\"", "\"Nobody\""), "completed abandoned");
}

TEST(imports_connect, only_calls_are_calls) {
  EXPECT_EQ(call_of(source::connect, with(contact, "VOICE", "CHAT")),
            R"(ignored: a contact of channel "CHAT" is not a call)");
  EXPECT_EQ(call_of(source::connect, with(contact, "DisconnectTimestamp", "Later")),
            "ignored: the contact has not ended");
}

TEST(imports_connect, says_where_a_report_is_wrong) {
  EXPECT_EQ(refusal_of(source::connect, with(both(), "2100, \"End", "\"x\", \"End")),
            R"(/analysis/Transcript/1/BeginOffsetMillis: must be a duration such as 107.4,)"
            R"( "107.4s", "1:47" or "PT1M47S")");
  EXPECT_EQ(refusal_of(source::connect, with(analysis, "\"CustomerMetadata\"", "\"Other\"")),
            "/: the call has no id.");
}

}  // namespace
}  // namespace vrm::imports::test
