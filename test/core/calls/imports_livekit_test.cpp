// What becomes of LiveKit's session reports.
#include "imports_reading.h"

namespace vrm::imports::test {
namespace {

constexpr std::string_view session = R"({"job_id": "AJ_1", "room_id": "RM_1", "room": "lobby",
  "sdk_version": "1.7.0", "timestamp": 1787000050.5, "audio_recording_started_at": 1787000000.25,
  "events": [
    {"type": "agent_state_changed", "created_at": 1787000000.5},
    {"type": "conversation_item_added", "created_at": 1787000004,
     "item": {"type": "message", "role": "user", "content": ["Hello?"]}},
    {"type": "close", "reason": "participant_disconnected", "error": null,
     "created_at": 1787000040}],
  "chat_history": {"items": [
    {"id": "i0", "type": "agent_config_update", "created_at": 1787000000.25},
    {"id": "i1", "type": "message", "role": "system", "content": ["Be kind."],
     "created_at": 1787000000.25},
    {"id": "i2", "type": "message", "role": "assistant", "content": ["Hello, ", {"type": "image"},
     "who is there?"], "interrupted": true, "created_at": 1787000001,
     "metrics": {"started_speaking_at": 1787000001.2505, "stopped_speaking_at": 1787000003,
                 "llm_node_ttft": 0.31, "tts_node_ttfb": 0.12, "e2e_latency": 0.805}},
    {"id": "i3", "type": "message", "role": "user", "content": ["Mo Harlan."],
     "created_at": 1787000006, "metrics": {"transcription_delay": 0.2}},
    {"id": "i4", "type": "function_call", "call_id": "f1", "name": "look_up",
     "arguments": "{\"name\": \"Harlan\"}", "created_at": 1787000006.5},
    {"id": "i5", "type": "function_call_output", "call_id": "f1", "output": "not found",
     "is_error": true, "created_at": 1787000007.25}]},
  "usage": [{"type": "llm_usage", "total_tokens": 77}]})";

TEST(imports_livekit, reads_a_session) {
  EXPECT_EQ(call_of(source::livekit, session),
            R"({"externalId":"AJ_1","startedAt":1787000000250,"endedAt":1787000040000,)"
            R"("status":"completed","endedReason":"participant_disconnected","duration":"0:39",)"
            R"("agent":{"number":"lobby"},"transcript":[{"speaker":"Agent","message":"Hello,)"
            R"( \u000awho is there?","time":"00:01","ms":1001,"endMs":2750,"role":"agent",)"
            R"("interrupted":true,"latency":{"model":310,"voice":120,"answer":805}},)"
            R"({"speaker":"Customer","message":"Mo Harlan.","time":"00:05","ms":5750,)"
            R"("role":"customer","latency":{"transcriber":200}}],)"
            R"("actionsTaken":[{"action":"look_up","time":"00:06","status":"failure",)"
            R"("arguments":{"name":"Harlan"},"result":"not found","ok":false,"ms":6250,)"
            R"("took":750}],"actions":1,"vendor":{"usage":[{"type":"llm_usage",)"
            R"("total_tokens":77}]}})");
}

/// As the session of the SDK for JavaScript holds it: items count in ms, their metrics in seconds.
TEST(imports_livekit, reads_what_the_sdk_for_javascript_holds) {
  constexpr std::string_view spelled = R"({"jobId": "AJ_1", "roomId": "RM_1", "room": "lobby",
    "timestamp": 1787000050500, "audioRecordingStartedAt": 1787000000250,
    "events": [{"type": "close", "reason": "participant_disconnected", "error": null,
                "createdAt": 1787000040000}],
    "chatHistory": {"items": [
      {"id": "i1", "type": "message", "role": "system", "content": ["Be kind."],
       "createdAt": 1787000000250},
      {"id": "i2", "type": "message", "role": "assistant", "content": ["Hello, ", {"type": "image"},
       "who is there?"], "interrupted": true, "createdAt": 1787000001000,
       "metrics": {"startedSpeakingAt": 1787000001.2505, "stoppedSpeakingAt": 1787000003,
                   "llmNodeTtft": 0.31, "ttsNodeTtfb": 0.12, "e2eLatency": 0.805}},
      {"id": "i3", "type": "message", "role": "user", "content": ["Mo Harlan."],
       "createdAt": 1787000006000, "metrics": {"transcriptionDelay": 0.2}},
      {"id": "i4", "type": "function_call", "callId": "f1", "name": "look_up",
       "args": "{\"name\": \"Harlan\"}", "createdAt": 1787000006500},
      {"id": "i5", "type": "function_call_output", "callId": "f1", "output": "not found",
       "isError": true, "createdAt": 1787000007250}]},
    "usage": [{"type": "llm_usage", "total_tokens": 77}]})";
  EXPECT_EQ(call_of(source::livekit, spelled), call_of(source::livekit, session));
}

TEST(imports_livekit, takes_times_that_the_application_adds) {
  const std::string more =
      with(session, R"("room": "lobby")",
           R"("room": "lobby", "started_at": 1786999999, "agent_name": "door")");
  EXPECT_EQ(value_of(source::livekit, more, "startedAt"), "1786999999000");
  EXPECT_EQ(value_of(source::livekit, more, "agent/name"), R"("door")");
  EXPECT_EQ(value_of(source::livekit, more, "transcript/0/ms"), "2251");
}

TEST(imports_livekit, reads_reports_of_older_kits) {
  EXPECT_EQ(call_of(source::livekit, R"({"job_id": "AJ_2", "room_id": "RM_2",
              "timestamp": 1787000010, "chat_history": {"items": [
              {"type": "message", "role": "user", "content": ["Hi"], "created_at": 1787000002}]}})"),
            R"({"externalId":"AJ_2","startedAt":1787000002000,"endedAt":1787000010000,)"
            R"("status":"completed","duration":"0:08","transcript":[{"speaker":"Customer",)"
            R"("message":"Hi","time":"00:00","ms":0,"role":"customer"}]})");
}

TEST(imports_livekit, tells_how_a_session_ended) {
  EXPECT_EQ(value_of(source::livekit, with(session, "\"participant_disconnected\"", "\"error\""),
                     "outcome"),
            R"("failed")");
  const std::string silent =
      with(session, R"("role": "user", "content": ["Mo)", R"("role": "system", "content": ["Mo)");
  EXPECT_EQ(value_of(source::livekit, silent, "outcome"), R"("abandoned")");
}

TEST(imports_livekit, says_where_a_report_is_wrong) {
  EXPECT_EQ(refusal_of(source::livekit,
                       with(session, "\"created_at\": 1787000006.5", "\"created_at\": true")),
            "/chat_history/items/4/created_at: must be a time from 1970 to 9999: ISO 8601, RFC "
            "2822 or seconds since 1970");
  EXPECT_EQ(refusal_of(source::livekit, with(session, R"({"items": [)", R"({"items": 1, "x": [)")),
            "/chat_history/items: must be an array");
}

}  // namespace
}  // namespace vrm::imports::test
