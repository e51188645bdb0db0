// What becomes of ElevenLabs' reports.
#include "imports_reading.h"

namespace vrm::imports::test {
namespace {

constexpr std::string_view conversation = R"({"type": "post_call_transcription",
 "event_timestamp": 1787000100, "data": {
  "conversation_id": "conv_5", "agent_id": "agent_e", "version_id": "v2", "user_id": "guest-4",
  "status": "done",
  "transcript": [
    {"role": "agent", "message": "Hotel Lind, good evening.", "time_in_call_secs": 0,
     "tool_calls": null, "tool_results": null, "conversation_turn_metrics":
       {"metrics": {"convai_llm_service_ttfb": {"elapsed_time": 0.4125}}}},
    {"role": "user", "message": "A room for two.", "time_in_call_secs": 4},
    {"role": "agent", "message": null, "time_in_call_secs": 7, "tool_calls": [
      {"request_id": "r1", "tool_name": "find_room", "params_as_json": "{\"beds\": 2}",
       "tool_has_been_called": true}], "tool_results": []},
    {"role": "agent", "message": "There is one.", "time_in_call_secs": 8, "interrupted": true,
     "original_message": "There is one at the lake.", "tool_calls": [], "tool_results": [
      {"request_id": "r1", "tool_name": "find_room", "result_value": "{\"room\": 12}",
       "is_error": false, "tool_latency_secs": 0.75, "type": "webhook"}],
     "conversation_turn_metrics": {"convai_tts_service_ttfb": {"elapsed_time": 0.2}}}],
  "metadata": {"start_time_unix_secs": 1787000000, "call_duration_secs": 62, "cost": 413,
    "termination_reason": "Call ended by remote party", "error": null,
    "phone_call": {"type": "twilio", "direction": "inbound", "external_number": "+15550164",
                   "agent_number": "+15550101", "call_sid": "CA1"}},
  "analysis": {"call_successful": "failure", "transcript_summary": "Asked for a room.",
    "evaluation_criteria_results": {}, "data_collection_results":
      {"sentiment": {"value": "very positive"}}}}})";

TEST(imports_elevenlabs, reads_a_conversation) {
  EXPECT_EQ(
      call_of(source::elevenlabs, conversation),
      R"({"externalId":"conv_5","startedAt":1787000000000,"endedAt":1787000062000,)"
      R"("status":"completed","endedReason":"Call ended by remote party",)"
      R"("outcome":"unresolved","direction":"inbound","customer":"+15550164",)"
      R"("duration":"1:02","sentiment":"positive","agent":{"id":"agent_e",)"
      R"("number":"+15550101","version":"v2"},"transcript":[{"speaker":"Agent",)"
      R"("message":"Hotel Lind, good evening.","time":"00:00","ms":0,"role":"agent",)"
      R"("latency":{"model":413}},{"speaker":"Customer","message":"A room for two.",)"
      R"("time":"00:04","ms":4000,"role":"customer"},{"speaker":"Agent",)"
      R"("message":"There is one.","time":"00:08","ms":8000,"role":"agent",)"
      R"("interrupted":true,"latency":{"voice":200}}],"precision":"seconds",)"
      R"("actionsTaken":[{"action":"find_room","time":"00:07","status":"success",)"
      R"("arguments":{"beds":2},"result":{"room":12},"ok":true,"ms":7000,"took":750}],)"
      R"("actions":1,"insights":[{"type":"summary","value":"Asked for a room.",)"
      R"("description":"ElevenLabs' summary of the call"}],)"
      R"("vendor":{"dataCollection":{"sentiment":{"value":"very positive"}},"credits":413}})");
  EXPECT_EQ(read_text_of(source::elevenlabs, conversation).clock, 1'787'000'100'000);
}

/// As the SDK for JavaScript spells it: its own names, but not those of services and of data.
TEST(imports_elevenlabs, reads_what_the_sdk_for_javascript_hands_out) {
  constexpr std::string_view spelled = R"({"conversationId": "conv_5", "agentId": "agent_e",
    "versionId": "v2", "userId": "guest-4", "status": "done", "hasAudio": true,
    "transcript": [
      {"role": "agent", "message": "Hotel Lind, good evening.", "timeInCallSecs": 0,
       "conversationTurnMetrics":
         {"metrics": {"convai_llm_service_ttfb": {"elapsedTime": 0.4125}}}},
      {"role": "user", "message": "A room for two.", "timeInCallSecs": 4},
      {"role": "agent", "timeInCallSecs": 7, "toolCalls": [
        {"requestId": "r1", "toolName": "find_room", "paramsAsJson": "{\"beds\": 2}",
         "toolHasBeenCalled": true}], "toolResults": []},
      {"role": "agent", "message": "There is one.", "timeInCallSecs": 8, "interrupted": true,
       "originalMessage": "There is one at the lake.", "toolCalls": [], "toolResults": [
        {"requestId": "r1", "toolName": "find_room", "resultValue": "{\"room\": 12}",
         "isError": false, "toolLatencySecs": 0.75, "type": "webhook"}],
       "conversationTurnMetrics": {"metrics": {"convai_tts_service_ttfb": {"elapsedTime": 0.2}}}}],
    "metadata": {"startTimeUnixSecs": 1787000000, "callDurationSecs": 62, "cost": 413,
      "terminationReason": "Call ended by remote party",
      "phoneCall": {"type": "twilio", "direction": "inbound", "externalNumber": "+15550164",
                    "agentNumber": "+15550101", "callSid": "CA1"}},
    "analysis": {"callSuccessful": "failure", "transcriptSummary": "Asked for a room.",
      "evaluationCriteriaResults": {}, "dataCollectionResults":
        {"sentiment": {"value": "very positive"}}}})";
  EXPECT_EQ(call_of(source::elevenlabs, spelled), call_of(source::elevenlabs, conversation));
  const json::document document(spelled);
  EXPECT_EQ(recognise(document.root()), source::elevenlabs);
}

TEST(imports_elevenlabs, reads_conversations_of_a_list) {
  EXPECT_EQ(call_of(source::elevenlabs, R"({"agent_id": "agent_e", "conversation_id": "conv_7",
              "start_time_unix_secs": 1787000000, "call_duration_secs": 62, "message_count": 4,
              "status": "done", "call_successful": "success", "direction": "outbound"})"),
            R"({"externalId":"conv_7","startedAt":1787000000000,"endedAt":1787000062000,)"
            R"("status":"completed","outcome":"resolved","direction":"outbound",)"
            R"("duration":"1:02","agent":{"id":"agent_e"}})");
}

TEST(imports_elevenlabs, a_conversation_of_no_time_is_not_one_of_now) {
  EXPECT_EQ(refusal_of(source::elevenlabs, R"({"conversation_id": "conv_8", "status": "done",
              "transcript": [{"role": "user", "message": "Hello?", "time_in_call_secs": 1}],
              "metadata": {}})"),
            "/metadata/start_time_unix_secs: is required, as nothing else says when the call was");
}

TEST(imports_elevenlabs, system_tools_tell_the_outcome) {
  const auto outcome = [](std::string_view type) {
    return value_of(
        source::elevenlabs,
        with(conversation, R"("type": "webhook")",
             R"("type": "system", "result": {"result_type": ")" + std::string(type) + R"("})"),
        "outcome");
  };
  EXPECT_EQ(outcome("voicemail_detection_success"), R"("voicemail")");
  EXPECT_EQ(outcome("transfer_to_number_twilio_success"), R"("transferred")");
  EXPECT_EQ(outcome("transfer_to_number_twilio_error"), R"("unresolved")");
  EXPECT_EQ(outcome("transfer_to_agent_success"), R"("unresolved")") << "the machine keeps it";
}

TEST(imports_elevenlabs, an_error_is_a_failure_whatever_the_verdict) {
  const std::string failed =
      with(conversation, R"("error": null)", R"("error": {"code": 1008, "reason": "quota"})");
  EXPECT_EQ(value_of(source::elevenlabs, failed, "status"), R"("failed")");
  EXPECT_EQ(value_of(source::elevenlabs, failed, "outcome"), R"("failed")");
  EXPECT_EQ(value_of(source::elevenlabs, failed, "error"), R"("quota")");
}

TEST(imports_elevenlabs, nobody_took_the_call) {
  constexpr std::string_view failure = R"({"type": "call_initiation_failure",
    "event_timestamp": "1787000100", "data": {"conversation_id": "conv_6", "agent_id": "agent_e",
    "failure_reason": "busy", "metadata": {"type": "twilio", "body": {}}}})";
  EXPECT_EQ(call_of(source::elevenlabs, failure),
            R"({"externalId":"conv_6","startedAt":1787000100000,"endedAt":1787000100000,)"
            R"("status":"failed","endedReason":"busy","outcome":"no_answer","error":"busy",)"
            R"("duration":"0:00","agent":{"id":"agent_e"}})");
  EXPECT_EQ(value_of(source::elevenlabs, with(failure, R"("busy")", R"("unknown")"), "outcome"),
            R"("failed")");
}

TEST(imports_elevenlabs, sound_makes_no_empty_call) {
  EXPECT_EQ(call_of(source::elevenlabs, R"({"type": "post_call_audio", "event_timestamp": 1,
                      "data": {"conversation_id": "conv_5", "full_audio": "SUQz"}})"),
            "ignored: an event of sound alone is no report of a call");
  EXPECT_EQ(call_of(source::elevenlabs, with(conversation, R"("done")", R"("processing")")),
            "ignored: the conversation is not done");
}

TEST(imports_elevenlabs, says_where_a_report_is_wrong) {
  EXPECT_EQ(refusal_of(source::elevenlabs,
                       with(conversation, "\"time_in_call_secs\": 4", "\"time_in_call_secs\": -4")),
            R"(/data/transcript/1/time_in_call_secs: must be a duration such as 107.4, "107.4s",)"
            R"( "1:47" or "PT1M47S")");
  EXPECT_EQ(refusal_of(source::elevenlabs, with(conversation, R"([
      {"request_id": "r1", "tool_name": "find_room", "params)",
                                                R"("x", "y": [{"params)")),
            "/data/transcript/2/tool_calls: must be an array");
}

}  // namespace
}  // namespace vrm::imports::test
