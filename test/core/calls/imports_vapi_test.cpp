// What becomes of Vapi's reports.
#include "imports_reading.h"

namespace vrm::imports::test {
namespace {

constexpr std::string_view report = R"({"message": {
  "type": "end-of-call-report", "timestamp": 1787000110000, "endedReason": "customer-ended-call",
  "startedAt": "2026-08-17T20:53:20.250Z", "endedAt": "2026-08-17T20:55:07.662Z",
  "cost": 0.1234, "durationSeconds": 107.412,
  "call": {"id": "019aa-1", "orgId": "org-7", "type": "inboundPhoneCall",
           "createdAt": "2026-08-17T20:53:18Z", "assistantId": "desk", "status": "ended"},
  "customer": {"number": "+15550142", "name": "Ada Fenwick"},
  "analysis": {"summary": "Moved the visit to Friday.", "successEvaluation": "true",
               "structuredData": {"sentiment": "Positive", "visit": "Friday"}},
  "artifact": {"messages": [
    {"role": "system", "message": "You are the desk of a dentist.", "time": 1787000000250,
     "secondsFromStart": 0},
    {"role": "bot", "message": "Hello, this is the desk.", "time": 1787000001050,
     "endTime": 1787000003050, "secondsFromStart": 0.8, "duration": 2000},
    {"role": "user", "message": "Can I come on Friday?", "time": 1787000003920,
     "endTime": 1787000005420, "secondsFromStart": 3.6705, "duration": 1500},
    {"role": "tool_calls", "message": "", "time": 1787000005500, "secondsFromStart": 5.25,
     "toolCalls": [{"id": "t1", "type": "function",
                    "function": {"name": "move_visit", "arguments": "{\"day\": \"Friday\"}"}}]},
    {"role": "tool_call_result", "toolCallId": "t1", "name": "move_visit",
     "result": "{\"error\": \"full\"}", "time": 1787000006100, "secondsFromStart": 5.85},
    {"role": "bot", "message": "Friday is full.", "time": 1787000007250,
     "endTime": 1787000008250, "secondsFromStart": 7, "duration": 1000}]}}})";

std::string ended(std::string_view reason) { return with(report, "customer-ended-call", reason); }

TEST(imports_vapi, reads_an_end_of_call_report) {
  EXPECT_EQ(call_of(source::vapi, report),
            R"({"externalId":"019aa-1","startedAt":1787000000250,"endedAt":1787000107662,)"
            R"("status":"completed","endedReason":"customer-ended-call","outcome":"resolved",)"
            R"("direction":"inbound","cost":0.1234,"currency":"USD","customer":"+15550142",)"
            R"("duration":"1:47","sentiment":"positive","agent":{"id":"desk"},)"
            R"("transcript":[{"speaker":"Agent","message":"Hello, this is the desk.",)"
            R"("time":"00:00","ms":800,"endMs":2800,"role":"agent"},{"speaker":"Customer",)"
            R"("message":"Can I come on Friday?","time":"00:03","ms":3671,"endMs":5171,)"
            R"("role":"customer"},{"speaker":"Agent","message":"Friday is full.","time":"00:07",)"
            R"("ms":7000,"endMs":8000,"role":"agent"}],"actionsTaken":[{"action":"move_visit",)"
            R"("time":"00:05","status":"failure","arguments":{"day":"Friday"},)"
            R"("result":{"error":"full"},"ok":false,"ms":5250,"took":600}],"actions":1,)"
            R"("insights":[{"type":"successEvaluation","value":"true",)"
            R"("description":"Vapi's evaluation of the call"},{"type":"summary",)"
            R"("value":"Moved the visit to Friday.","description":"Vapi's summary of the call"}],)"
            R"("vendor":{"structuredData":{"sentiment":"Positive","visit":"Friday"}}})");
}

TEST(imports_vapi, reads_what_the_sdk_for_python_dumps) {
  constexpr std::string_view dumped = R"({"id": "019aa-3", "org_id": "org-7",
    "type": "inboundPhoneCall", "status": "ended", "started_at": "2026-08-17T20:53:20Z",
    "ended_at": "2026-08-17T20:54:05Z", "ended_reason": "customer-ended-call",
    "assistant_id": "desk", "artifact": {"messages": [
      {"role": "user", "message": "Hello?", "time": 1787000001000, "end_time": 1787000002000,
       "seconds_from_start": 1.0}]}})";
  const json::document document(dumped);
  EXPECT_EQ(recognise(document.root()), source::vapi);
  EXPECT_EQ(call_of(source::vapi, dumped),
            R"({"externalId":"019aa-3","startedAt":1787000000000,"endedAt":1787000045000,)"
            R"("status":"completed","endedReason":"customer-ended-call","direction":"inbound",)"
            R"("duration":"0:45","agent":{"id":"desk"},"transcript":[{"speaker":"Customer",)"
            R"("message":"Hello?","time":"00:01","ms":1000,"endMs":2000,"role":"customer"}]})");
}

TEST(imports_vapi, reads_a_call_object) {
  constexpr std::string_view call = R"({"id": "019aa-2", "orgId": "org-7",
    "type": "outboundPhoneCall", "status": "ended", "createdAt": "2026-08-17T20:53:18Z",
    "updatedAt": "2026-08-17T20:59:00Z", "endedReason": "customer-did-not-answer",
    "customer": {"sipUri": "sip:lee@example.org"}})";
  EXPECT_EQ(call_of(source::vapi, call),
            R"({"externalId":"019aa-2","startedAt":1786999998000,"endedAt":1786999998000,)"
            R"("status":"failed","endedReason":"customer-did-not-answer","outcome":"no_answer",)"
            R"("direction":"outbound","error":"customer-did-not-answer",)"
            R"("customer":"sip:lee@example.org","duration":"0:00"})");
  EXPECT_EQ(read_text_of(source::vapi, call).clock, 1'787'000'340'000);
}

TEST(imports_vapi, tells_how_a_call_ended) {
  const auto end_of = [](std::string_view reason) {
    const auto read = read_text_of(source::vapi, ended(reason));
    return read.status + " " + read.outcome;
  };
  EXPECT_EQ(end_of("customer-busy"), "failed no_answer");
  EXPECT_EQ(end_of("call.in-progress.error-providerfault-outbound-sip-480-unavailable"),
            "failed no_answer");
  EXPECT_EQ(end_of("call.in-progress.error-providerfault-outbound-sip-503-unavailable"),
            "failed failed");
  EXPECT_EQ(end_of("pipelineErrorOpenAIVoiceFailed"), "failed failed");
  EXPECT_EQ(end_of("assistant-request-failed"), "failed failed");
  EXPECT_EQ(end_of("assistant-request-returned-forwarding-phone-number"), "completed transferred");
  EXPECT_EQ(end_of("assistantForwardedCall"), "completed transferred");
  EXPECT_EQ(end_of("voicemail"), "completed voicemail");
  EXPECT_EQ(end_of("silence-timed-out"), "completed abandoned");
  EXPECT_EQ(end_of("exceeded-max-duration"), "completed resolved") << "by the verdict";
  EXPECT_EQ(end_of("manually-canceled"), "completed resolved") << "it had begun";
}

TEST(imports_vapi, a_caller_who_said_nothing_has_left) {
  const std::string silent = with(report, R"("role": "user")", R"("role": "bot")");
  EXPECT_EQ(value_of(source::vapi, silent, "outcome"), R"("abandoned")");
}

TEST(imports_vapi, forwarding_counts_whatever_the_reason) {
  const std::string forwarded =
      with(report, R"("cost")", R"("destination": {"number": "+15550199"}, "cost")");
  EXPECT_EQ(value_of(source::vapi, forwarded, "outcome"), R"("transferred")");
}

TEST(imports_vapi, nothing_is_resolved_for_want_of_a_verdict) {
  EXPECT_EQ(value_of(source::vapi, with(report, R"("true")", R"("7")"), "outcome"), "");
  EXPECT_EQ(value_of(source::vapi, with(report, R"("true")", R"("Fail")"), "outcome"),
            R"("unresolved")");
}

TEST(imports_vapi, lists_that_stand_twice_count_once) {
  const std::string twice = with(report, R"("cost")", R"("messages": [
    {"role": "bot", "message": "Hello, this is the desk.", "secondsFromStart": 0.8}], "cost")");
  EXPECT_EQ(read_text_of(source::vapi, twice).turns.size(), 3U);
}

TEST(imports_vapi, other_messages_are_no_reports) {
  EXPECT_EQ(call_of(source::vapi, with(report, "end-of-call-report", "status-update")),
            R"(ignored: a message of type "status-update" is no report of a call)");
  EXPECT_EQ(call_of(source::vapi, R"({"id": "1", "orgId": "2", "type": "webCall",
                                      "status": "in-progress"})"),
            "ignored: the call has not ended");
}

TEST(imports_vapi, says_where_a_report_is_wrong) {
  EXPECT_EQ(refusal_of(source::vapi, with(report, R"("2026-08-17T20:53:20.250Z")", R"("soon")")),
            "/message/startedAt: must be a time from 1970 to 9999: ISO 8601, RFC 2822 or seconds "
            "since 1970");
  EXPECT_EQ(refusal_of(source::vapi, with(report, "0.1234", "-1")),
            "/message/cost: must be an amount that is not negative");
  EXPECT_EQ(refusal_of(source::vapi, with(report, R"("Can I come on Friday?")", "[1]")),
            "/message/artifact/messages/2/message: must be a text of at most 100000 characters");
  EXPECT_EQ(refusal_of(source::vapi, with(report, R"("id": "019aa-1", )", "")),
            "/: the call has no id.");
  EXPECT_EQ(
      refusal_of(source::vapi, with(report, "2026-08-17T20:55:07.662Z", "2026-08-17T20:53:20Z")),
      "/: the call ends before it begins, by 250 ms.");
}

TEST(imports_vapi, counts_roles_that_nobody_knows) {
  const auto read =
      read_text_of(source::vapi, with(report, R"("role": "user")", R"("role": "moth")"));
  ASSERT_EQ(read.unknown.size(), 1U);
  EXPECT_EQ(read.unknown[0].word, "moth");
  EXPECT_EQ(read.turns[1].speaker, "moth");
}

}  // namespace
}  // namespace vrm::imports::test
