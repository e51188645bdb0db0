// What becomes of Twilio's calls and transcripts.
#include "imports_reading.h"

namespace vrm::imports::test {
namespace {

constexpr std::string_view call = R"({"sid": "CA77", "status": "completed",
  "direction": "outbound-api", "from": "+15550103", "to": "+15550160",
  "date_created": "Mon, 17 Aug 2026 20:53:18 +0000",
  "start_time": "Mon, 17 Aug 2026 20:53:20 +0000", "end_time": "Mon, 17 Aug 2026 20:54:05 +0000",
  "date_updated": "Mon, 17 Aug 2026 20:58:00 +0000", "duration": "45", "price": "-0.0200",
  "price_unit": "usd", "answered_by": null})";

constexpr std::string_view transcript = R"("transcript": {"sid": "GT1", "customer_key": "CA77",
    "channel": {"participants": [{"channel_participant": 1, "role": "Customer"},
                                 {"channel_participant": 2, "role": "Agent"}]}},
  "sentences": [
    {"sentence_index": 1, "media_channel": "1", "start_time": "2.4505", "end_time": 4,
     "transcript": "Who is it?"},
    {"sentence_index": 0, "media_channel": 2, "start_time": 0.5, "end_time": "2.1",
     "transcript": "Good morning."}],
  "operator_results": [
    {"name": "Sentiment Analysis", "operator_type": "conversation-classify",
     "predicted_label": "mixed"},
    {"name": "Conversation Summary", "text_generation_results": {"result": "A short call."}}])";

std::string both() {
  return R"({"call": )" + std::string(call) + ", " + std::string(transcript) + "}";
}

TEST(imports_twilio, reads_a_call_with_its_transcript) {
  EXPECT_EQ(call_of(source::twilio, both()),
            R"({"externalId":"CA77","startedAt":1787000000000,"endedAt":1787000045000,)"
            R"("status":"completed","endedReason":"completed","direction":"outbound",)"
            R"("cost":0.0200,"currency":"USD","customer":"+15550160","duration":"0:45",)"
            R"("sentiment":"neutral","agent":{"number":"+15550103"},)"
            R"("transcript":[{"speaker":"Agent","message":"Good morning.","time":"00:00",)"
            R"("ms":500,"endMs":2100,"role":"agent"},{"speaker":"Customer",)"
            R"("message":"Who is it?","time":"00:02","ms":2451,"endMs":4000,"role":"customer"}],)"
            R"("insights":[{"type":"summary","value":"A short call.",)"
            R"("description":"Twilio's summary of the call"}]})");
}

TEST(imports_twilio, reads_what_the_sdk_for_javascript_hands_out) {
  std::string spelled = both();
  for (const auto& [api, sdk] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"\"date_created\": \"Mon, 17 Aug 2026 20:53:18 +0000\"",
            R"("dateCreated": "2026-08-17T20:53:18.000Z")"},
           {"\"start_time\": \"Mon, 17 Aug 2026 20:53:20 +0000\"",
            R"("startTime": "2026-08-17T20:53:20.000Z")"},
           {"\"end_time\": \"Mon, 17 Aug 2026 20:54:05 +0000\"",
            R"("endTime": "2026-08-17T20:54:05.000Z")"},
           {"\"date_updated\": \"Mon, 17 Aug 2026 20:58:00 +0000\"",
            R"("dateUpdated": "2026-08-17T20:58:00.000Z")"},
           {"price_unit", "priceUnit"},
           {"answered_by", "answeredBy"},
           {"customer_key", "customerKey"},
           {"sentence_index", "sentenceIndex"},
           {"sentence_index", "sentenceIndex"},
           {"media_channel", "mediaChannel"},
           {"media_channel", "mediaChannel"},
           {"\"start_time\": \"2.4505\"", "\"startTime\": \"2.4505\""},
           {"\"start_time\": 0.5", "\"startTime\": 0.5"},
           {"\"end_time\": 4", "\"endTime\": 4"},
           {"\"end_time\": \"2.1\"", "\"endTime\": \"2.1\""},
           {"operator_results", "operatorResults"},
           {"predicted_label", "predictedLabel"},
           {"text_generation_results", "textGenerationResults"}})
    spelled = with(spelled, api, sdk);
  EXPECT_EQ(call_of(source::twilio, spelled), call_of(source::twilio, both()));
  EXPECT_EQ(read_text_of(source::twilio, spelled).clock, 1'787'000'280'000);
}

TEST(imports_twilio, a_call_of_no_time_is_not_one_of_now) {
  EXPECT_EQ(refusal_of(source::twilio,
                       R"({"call": {"sid": "CA79", "status": "completed", "duration": "45"}})"),
            "/call/start_time: is required, as nothing else says when the call was");
  EXPECT_EQ(refusal_of(source::twilio, R"({"call": {"sid": "CA79", "status": "completed"},
              "sentences": [{"transcript": "Hello?", "media_channel": 1}]})"),
            "/call/start_time: is required, as nothing else says when the call was");
  const auto busy = read_text_of(source::twilio, R"({"sid": "CA79", "status": "busy"})");
  EXPECT_EQ(busy.started_at, arrival);
  ASSERT_EQ(busy.notes.size(), 1U);
  EXPECT_EQ(busy.notes[0], "nothing says when the call was: it is put where its report came");
}

TEST(imports_twilio, a_transcript_waits_for_its_call) {
  const auto alone = read_text_of(source::twilio, "{" + std::string(transcript) + "}");
  EXPECT_EQ(alone.what, disposition::part);
  EXPECT_EQ(alone.external_id, "CA77");
  EXPECT_EQ(read_text_of(source::twilio, call).what, disposition::call);
}

TEST(imports_twilio, channels_without_a_name_are_agent_and_customer) {
  const std::string unnamed = with(both(), "\"participants\"", "\"nobody\"");
  EXPECT_EQ(value_of(source::twilio, unnamed, "transcript/0/role"), R"("customer")");
  EXPECT_EQ(value_of(source::twilio, unnamed, "transcript/1/role"), R"("agent")");
}

TEST(imports_twilio, reads_a_status_callback) {
  EXPECT_EQ(call_of(source::twilio, R"({"CallSid": "CA78", "CallStatus": "no-answer",
              "Direction": "inbound", "From": "+15550161", "To": "+15550103",
              "Timestamp": "Mon, 17 Aug 2026 20:53:20 +0000", "SequenceNumber": "3"})"),
            R"({"externalId":"CA78","startedAt":1787000000000,"endedAt":1787000000000,)"
            R"("status":"failed","endedReason":"no-answer","outcome":"no_answer",)"
            R"("direction":"inbound","error":"no-answer","customer":"+15550161",)"
            R"("duration":"0:00","agent":{"number":"+15550103"}})");
  EXPECT_EQ(call_of(source::twilio, R"({"CallSid": "CA78", "CallStatus": "ringing"})"),
            "ignored: the call has not ended");
}

TEST(imports_twilio, tells_how_a_call_ended) {
  const auto end_of = [](std::string_view status) {
    const auto read = read_text_of(source::twilio, with(call, "completed", status));
    return read.status + " " + read.outcome;
  };
  EXPECT_EQ(end_of("busy"), "failed no_answer");
  EXPECT_EQ(end_of("failed"), "failed failed");
  EXPECT_EQ(end_of("canceled"), "cancelled ");
  EXPECT_EQ(value_of(source::twilio,
                     with(call, "\"answered_by\": null", "\"answered_by\": \"machine_end_beep\""),
                     "outcome"),
            R"("voicemail")");
}

TEST(imports_twilio, a_price_that_is_not_known_yet_is_no_price) {
  const auto early = read_text_of(source::twilio, with(call, "\"-0.0200\"", "null"));
  EXPECT_EQ(early.cost + early.currency, "");
}

TEST(imports_twilio, says_where_a_report_is_wrong) {
  EXPECT_EQ(refusal_of(source::twilio,
                       with(call, "Mon, 17 Aug 2026 20:53:20", "Mon, 37 Aug 2026 20:53:20")),
            "/start_time: must be a time from 1970 to 9999: ISO 8601, RFC 2822 or seconds since "
            "1970");
  EXPECT_EQ(refusal_of(source::twilio, with(call, "\"usd\"", "\"zzz\"")),
            "/price_unit: must be a currency of ISO 4217");
}

}  // namespace
}  // namespace vrm::imports::test
