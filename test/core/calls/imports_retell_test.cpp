// What becomes of Retell's reports.
#include "imports_reading.h"

namespace vrm::imports::test {
namespace {

constexpr std::string_view analyzed = R"({"event": "call_analyzed", "call": {
  "call_id": "call_81", "call_type": "phone_call", "agent_id": "agent_3", "agent_version": 4,
  "call_status": "registered", "direction": "inbound", "from_number": "+15550123",
  "to_number": "+15550100", "start_timestamp": 1787000000000, "end_timestamp": 1787000042500,
  "duration_ms": 42500, "disconnection_reason": "agent_hangup",
  "transcript_object": [
    {"role": "agent", "content": "Bakery Orme, hello.", "words": [
      {"word": "Bakery", "start": 0.5, "end": 0.9}, {"word": "hello.", "start": 1.0, "end": 1.4}]},
    {"role": "user", "content": "Two loaves, please.", "words": [
      {"word": "Two", "start": 2.0005, "end": 2.2}, {"word": "please.", "start": 2.5, "end": 3.1}]},
    {"role": "transfer_target", "content": "This is Orme.", "words": []}],
  "transcript_with_tool_calls": [
    {"role": "agent", "content": "Bakery Orme, hello.", "words": [
      {"word": "hello.", "start": 1.0, "end": 1.4}]},
    {"role": "user", "content": "Two loaves, please.", "words": [
      {"word": "please.", "start": 2.5, "end": 3.1}]},
    {"role": "tool_call_invocation", "tool_call_id": "t1", "name": "order",
     "arguments": "{\"loaves\": 2}"},
    {"role": "tool_call_invocation", "tool_call_id": "t2", "name": "stock", "arguments": "none"},
    {"role": "tool_call_result", "tool_call_id": "t1", "content": "done", "successful": true}],
  "call_cost": {"combined_cost": 12.5, "total_duration_seconds": 43},
  "call_analysis": {"call_summary": "Two loaves ordered.", "user_sentiment": "Positive",
                    "call_successful": true, "in_voicemail": false}}})";

TEST(imports_retell, reads_an_analysed_call) {
  EXPECT_EQ(call_of(source::retell, analyzed),
            R"({"externalId":"call_81","startedAt":1787000000000,"endedAt":1787000042500,)"
            R"("status":"completed","endedReason":"agent_hangup","outcome":"resolved",)"
            R"("direction":"inbound","cost":12.5e-2,"currency":"USD","customer":"+15550123",)"
            R"("duration":"0:42","sentiment":"positive","agent":{"id":"agent_3",)"
            R"("number":"+15550100","version":"4"},"transcript":[{"speaker":"Agent",)"
            R"("message":"Bakery Orme, hello.","time":"00:00","ms":500,"endMs":1400,)"
            R"("role":"agent"},{"speaker":"Customer","message":"Two loaves, please.",)"
            R"("time":"00:02","ms":2001,"endMs":3100,"role":"customer"},)"
            R"({"speaker":"transfer_target","message":"This is Orme.","time":"00:02",)"
            R"("role":"agent"}],"actionsTaken":[{"action":"order","time":"00:03",)"
            R"("status":"success","arguments":{"loaves":2},"result":"done","ok":true,"ms":3100},)"
            R"({"action":"stock","time":"00:03","status":"unknown","arguments":"none",)"
            R"("ms":3100}],"actions":2,"insights":[{"type":"summary",)"
            R"("value":"Two loaves ordered.","description":"Retell's summary of the call"}]})");
}

TEST(imports_retell, the_analysis_is_newer_than_the_end) {
  const auto ended = read_text_of(source::retell, with(analyzed, "call_analyzed", "call_ended"));
  EXPECT_LT(ended.clock, read_text_of(source::retell, analyzed).clock);
  // Nor does it matter whether it tells when the call was.
  const auto timeless = with(analyzed, "\"end_timestamp\"", "\"end_gone\"");
  EXPECT_LT(ended.clock, read_text_of(source::retell, timeless).clock);
}

TEST(imports_retell, falls_back_to_the_transcript_with_tools) {
  const std::string without = with(analyzed, "\"transcript_object\"", "\"transcript_gone\"");
  EXPECT_EQ(read_text_of(source::retell, without).turns.size(), 2U);
}

TEST(imports_retell, tells_how_a_call_ended) {
  const auto end_of = [](std::string_view reason) {
    const auto read = read_text_of(source::retell, with(analyzed, "agent_hangup", reason));
    return read.status + " " + read.outcome;
  };
  EXPECT_EQ(end_of("dial_busy"), "failed no_answer");
  EXPECT_EQ(end_of("error_user_not_joined"), "failed no_answer");
  EXPECT_EQ(end_of("error_llm_websocket_open"), "failed failed");
  EXPECT_EQ(end_of("telephony_provider_unavailable"), "failed failed");
  EXPECT_EQ(end_of("voicemail_reached"), "completed voicemail");
  EXPECT_EQ(end_of("call_transfer"), "completed transferred");
  EXPECT_EQ(end_of("inactivity"), "completed abandoned");
  EXPECT_EQ(end_of("user_hangup"), "completed resolved");
  EXPECT_EQ(end_of("a_reason_of_tomorrow"), "completed resolved");
}

TEST(imports_retell, an_outbound_call_is_of_who_was_called) {
  const std::string outbound = with(analyzed, R"("inbound")", R"("outbound")");
  EXPECT_EQ(value_of(source::retell, outbound, "customer"), R"("+15550100")");
}

TEST(imports_retell, reads_a_call_that_never_connected) {
  EXPECT_EQ(call_of(source::retell, R"({"event": "call_ended", "call": {"call_id": "call_9",
              "call_status": "not_connected", "direction": "outbound", "to_number": "+15550177",
              "end_timestamp": 1787000000000, "disconnection_reason": "dial_no_answer"}})"),
            R"({"externalId":"call_9","startedAt":1787000000000,"endedAt":1787000000000,)"
            R"("status":"failed","endedReason":"dial_no_answer","outcome":"no_answer",)"
            R"("direction":"outbound","error":"dial_no_answer","customer":"+15550177",)"
            R"("duration":"0:00"})");
}

TEST(imports_retell, unknown_is_no_sentiment_and_no_unknown_word) {
  const auto read = read_text_of(source::retell, with(analyzed, "Positive", "Unknown"));
  EXPECT_EQ(read.sentiment, "");
  EXPECT_TRUE(read.unknown.empty());
  EXPECT_EQ(read_text_of(source::retell, with(analyzed, "Positive", "wistful")).unknown.size(), 1U);
}

TEST(imports_retell, other_events_are_no_reports) {
  EXPECT_EQ(call_of(source::retell, with(analyzed, "call_analyzed", "call_started")),
            R"(ignored: an event "call_started" is no report of a call)");
  EXPECT_EQ(call_of(source::retell, R"({"call_id": "c", "call_status": "ongoing"})"),
            "ignored: the call has not ended");
}

TEST(imports_retell, says_where_a_report_is_wrong) {
  EXPECT_EQ(
      refusal_of(source::retell, with(analyzed, R"("start": 2.0005)", R"("start": {})")),
      R"(/call/transcript_object/1/words/0/start: must be a duration such as 107.4, "107.4s",)"
      R"( "1:47" or "PT1M47S")");
  EXPECT_EQ(
      refusal_of(source::retell, with(analyzed, "true, \"in_voicemail\"", "3, \"in_voicemail\"")),
      "/call/call_analysis/call_successful: must be true or false");
}

}  // namespace
}  // namespace vrm::imports::test
