// What becomes of reports in the form for everybody, and what holds for all sources.
#include "imports_reading.h"

namespace vrm::imports::test {
namespace {

constexpr std::string_view call =
    R"({"externalId":"k-1","startedAt":"2026-08-17T20:53:20.5Z","status":"Completed",)"
    R"("outcome":"Resolved","direction":"Incoming","cost":"0.05","customer":"Noor",)"
    R"("duration":"1m 5.25s","sentiment":"VERY_POSITIVE","agent":"desk",)"
    R"("transcript":[{"speaker":"Desk","role":"assistant","message":"Hello","ms":200,)"
    R"("endMs":900},{"role":"caller","text":"Hello there","ms":1500.5,"endMs":1200,)"
    R"("latency":{"transcriber":90}},{"role":"user","message":""},{"role":"user",)"
    R"("message":null,"interrupted":true,"ms":3000}],"actionsTaken":[{"action":"greet",)"
    R"("status":"success","ok":true,"ms":100,"took":40,)"
    R"("arguments":"{\"to\": \"a\\u0000b\"}"}],"insights":[{"type":"mood","value":"good",)"
    R"("description":""}]})";

TEST(imports_generic, reads_a_call) {
  EXPECT_EQ(call_of(source::vrm, call),
            R"({"externalId":"k-1","startedAt":1787000000500,"endedAt":1787000065750,)"
            R"("status":"completed","outcome":"resolved","direction":"inbound","cost":0.05,)"
            R"("currency":"USD","customer":"Noor","duration":"1:05","sentiment":"positive",)"
            R"("agent":{"name":"desk"},"transcript":[{"speaker":"Desk","message":"Hello",)"
            R"("time":"00:00","ms":200,"endMs":900,"role":"agent"},{"speaker":"Customer",)"
            R"("message":"Hello there","time":"00:01","ms":1501,"role":"customer",)"
            R"("latency":{"transcriber":90}},{"speaker":"Customer","message":"","time":"00:03",)"
            R"("ms":3000,"role":"customer","interrupted":true}],)"
            R"("actionsTaken":[{"action":"greet","time":"00:00","status":"success",)"
            R"("arguments":{"to":"a�b"},"ok":true,"ms":100,"took":40}],"actions":1,)"
            R"("insights":[{"type":"mood","value":"good","description":""}]})");
}

TEST(imports_generic, says_what_it_has_mended) {
  const auto read = read_text_of(source::vrm, call);
  ASSERT_EQ(read.notes.size(), 2U);
  EXPECT_EQ(read.notes[0], "turn 2 ended before it began: its end is left out");
  EXPECT_EQ(read.notes[1], "/actionsTaken/0/arguments: 1 NUL or lone surrogate replaced");
}

TEST(imports_generic, reads_what_the_platform_itself_holds) {
  EXPECT_EQ(call_of(source::vrm, R"({"id": "0198", "agent_id": "a-1", "status": "failed",
              "started_at": "2026-08-17T22:53:20+02:00", "completed_at": "2026-08-17 20:53:50+00",
              "results": {"customer": "Noor", "duration": "0:30", "sentiment": "negative",
                "transcript": [{"speaker": "Agent", "message": "Hi", "time": "00:04"}],
                "insights": [], "actions": 0, "actionsTaken": []}, "error": "line lost"})"),
            R"({"externalId":"0198","startedAt":1787000000000,"endedAt":1787000030000,)"
            R"("status":"failed","error":"line lost","customer":"Noor","duration":"0:30",)"
            R"("sentiment":"negative","agent":{"id":"a-1"},"transcript":[{"speaker":"Agent",)"
            R"("message":"Hi","time":"00:04","ms":4000,"role":"agent"}],"precision":"seconds"})");
}

TEST(imports_generic, turns_out_of_order_are_put_in_order_when_all_have_a_time) {
  const auto first = [](std::string_view transcript) {
    return value_of(source::vrm, R"({"id": "k", "transcript": )" + std::string(transcript) + "}",
                    "transcript/0/message");
  };
  EXPECT_EQ(
      first(
          R"([{"role": "user", "message": "b", "ms": 9}, {"role": "bot", "message": "a", "ms": 3}])"),
      R"("a")");
  EXPECT_EQ(
      first(R"([{"role": "user", "message": "b", "ms": 9}, {"role": "bot", "message": "a"}])"),
      R"("b")");
}

TEST(imports_generic, a_call_without_times_was_when_it_came) {
  EXPECT_EQ(value_of(source::vrm, R"({"id": "k", "sentiment": "mixed"})", "startedAt"),
            std::to_string(arrival));
  EXPECT_EQ(
      value_of(source::vrm, R"({"id": "k", "endedAt": 1787000060, "duration": 60})", "startedAt"),
      "1787000000000");
}

TEST(imports_generic, unfinished_calls_are_no_reports) {
  EXPECT_EQ(call_of(source::vrm, R"({"id": "k", "status": "running"})"),
            "ignored: the call has not ended");
}

TEST(imports_generic, says_where_a_report_is_wrong) {
  const auto refusal = [](std::string_view members) {
    return refusal_of(source::vrm,
                      R"({"id": "k", "status": "completed", )" + std::string(members) + "}");
  };
  EXPECT_EQ(refusal(R"("cost": -0.01)"), "/cost: must be an amount that is not negative");
  for (const char* amount : {"5.", "5.e1", ".5", "1,5", "NaN", "Infinity", "--1"}) {
    EXPECT_EQ(refusal(R"("cost": ")" + std::string(amount) + R"(")"),
              "/cost: must be an amount that is not negative")
        << amount;
  }
  EXPECT_EQ(refusal(R"("cost": 999999999999.5)"), "/cost: must be an amount below 1000000000000");
  EXPECT_EQ(refusal(R"("cost": 1e15)"), "/cost: must be an amount below 1000000000000");
  EXPECT_EQ(refusal(R"("cost": 1, "currency": "Talers")"),
            "/currency: must be a currency of ISO 4217");
  EXPECT_EQ(refusal(R"("startedAt": "infinity")").substr(0, 21), "/startedAt: must be a");
  EXPECT_EQ(refusal(R"("startedAt": "-infinity")").substr(0, 21), "/startedAt: must be a");
  EXPECT_EQ(refusal(R"("startedAt": "2026-10-01")"),
            "/: the call begins more than a day from now.");
  EXPECT_EQ(refusal(R"("turns": [3])"), "/turns/0: must be an object");
  EXPECT_EQ(refusal(R"("turns": [{"message": "x", "ms": 90000000}])"),
            "turn 1 begins more than 24 hours after the call");
  EXPECT_EQ(refusal(R"("actionsTaken": [{"ok": true}])"), "/actionsTaken/0/action: is required");
  EXPECT_EQ(refusal(R"("a/b": 1, "customer": {"~": 1})"),
            "/customer: must be a text of at most 1000 characters");
  EXPECT_EQ(refusal_of(source::vrm, R"({"id": "k", "status": "lost"})"),
            R"(/status: must be "completed", "failed" or "cancelled")");
}

TEST(imports, a_report_of_another_source_is_refused) {
  constexpr std::string_view retell = R"({"event": "call_ended", "call": {"call_id": "c"}})";
  EXPECT_EQ(refusal_of(source::vapi, retell), "/: looks like a report of retell, not of vapi.");
  EXPECT_EQ(refusal_of(source::vrm, retell), "/: looks like a report of retell, not of vrm.");
  EXPECT_EQ(refusal_of(source::twilio, R"({"id": "k", "outcome": "resolved"})"),
            "/: looks like a report of vrm, not of twilio.");
  EXPECT_EQ(
      refusal_of(source::retell, R"({"a": 1})"),
      "/: is no report of retell, which are recognised by /event with /call, or /call_id with "
      "/call_status.");
  EXPECT_EQ(refusal_of(source::vrm, "[]"), "/: must be an object");
}

TEST(imports, reports_are_recognised) {
  const auto looks_like = [](std::string_view payload) {
    const json::document document(payload);
    const auto found = recognise(document.root());
    return found ? name_of(*found) : "nobody's";
  };
  EXPECT_EQ(looks_like(R"({"message": {"type": "end-of-call-report"}})"), "vapi");
  EXPECT_EQ(looks_like(R"({"call_id": "c", "call_status": "ended"})"), "retell");
  EXPECT_EQ(looks_like(R"({"conversation_id": "c", "transcript": []})"), "elevenlabs");
  EXPECT_EQ(looks_like(R"({"job_id": "j", "room_id": "r"})"), "livekit");
  EXPECT_EQ(looks_like(R"({"Contact": {"Id": "c"}})"), "connect");
  EXPECT_EQ(looks_like(R"({"sid": "CA1"})"), "twilio");
  EXPECT_EQ(looks_like(R"({"id": "k", "status": "failed"})"), "vrm");
  EXPECT_EQ(looks_like(R"({"id": "k"})"), "nobody's");
}

TEST(imports, a_spelling_that_no_sdk_has_is_refused) {
  EXPECT_EQ(refusal_of(source::connect, R"({"contactId": "c-1", "channel": "VOICE",
              "initiationTimestamp": "2026-08-17T20:53:20Z"})"),
            "/: is no report of connect, which are recognised by /contact, /analysis, /ContactId, "
            "/Contact/Id, /JobStatus or /Segments.");
  EXPECT_EQ(
      refusal_of(source::retell, R"({"callId": "c-1", "callStatus": "ended"})"),
      "/: is no report of retell, which are recognised by /event with /call, or /call_id with "
      "/call_status.");
}

TEST(imports, names_of_others_are_nobody_elses) {
  const auto owner = [](std::string_view payload) {
    const json::document document(payload);
    const auto found = recognise(document.root());
    return found ? std::string(name_of(*found)) : std::string("nobody's");
  };
  EXPECT_EQ(owner(R"({"id": "k", "status": "done", "contactId": "c", "callSid": "CA1"})"), "vrm");
  EXPECT_EQ(owner(R"({"id": "k", "conversationId": "c", "agentId": "a", "transcript": []})"),
            "vrm");
  EXPECT_EQ(owner(R"({"id": "k", "org_id": "o", "type": "support", "status": "done"})"), "vrm");
}

TEST(imports, a_report_that_does_not_name_its_call_can_be_told) {
  const json::document nameless(R"({"sentences": [{"transcript": "Hello", "media_channel": 1}]})");
  EXPECT_EQ(read(source::twilio, nameless.root(), arrival, "CA5").external_id, "CA5");
  const json::document own(R"({"startedAt": 1787000000})");
  EXPECT_EQ(read(source::vrm, own.root(), arrival, "k-5").external_id, "k-5");
  EXPECT_THROW(static_cast<void>(read(source::vrm, own.root(), arrival, "")), vrm::error);
  const json::document nothing(R"({"word": 1})");
  EXPECT_THROW(static_cast<void>(read(source::vrm, nothing.root(), arrival, "k-5")), vrm::error);
}

TEST(imports, sources_have_names) {
  for (const std::string_view name :
       {"vrm", "vapi", "retell", "elevenlabs", "livekit", "connect", "twilio"}) {
    ASSERT_TRUE(source_of(name)) << name;
    EXPECT_EQ(name_of(*source_of(name)), name);
  }
  EXPECT_FALSE(source_of("Vapi"));
  EXPECT_FALSE(source_of(""));
}

TEST(imports, a_call_of_many_turns_is_read) {
  std::string turns = R"({"role": "user", "message": "word", "ms": 1})";
  std::string payload = R"({"id": "k", "transcript": [)" + turns;
  for (int i = 1; i < 50'000; ++i) payload.append(",").append(turns);
  EXPECT_EQ(read_text_of(source::vrm, payload + "]}").turns.size(), 50'000U);
}

}  // namespace
}  // namespace vrm::imports::test
