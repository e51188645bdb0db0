// Twilio: calls of its API, fields of status callbacks, and transcripts of Voice Intelligence.
//
// Source: twilio/twilio-oai (api_v2010, intelligence_v2) and Twilio's pages on Voice Intelligence.
// A transcript names its recording, not its call: it is joined by the call beside it or by
// customer_key.  Prices are negative, because they are Twilio's credit.
#include <algorithm>
#include <array>

#include "core/calls/imports_fields.h"
#include "core/calls/imports_values.h"

namespace vrm::imports {
namespace {

// A call of the API, and the same in a callback.
constexpr std::array fields = {
    field<report>{"sid", text<&report::external_id>},
    field<report>{"CallSid", text<&report::external_id>},
    field<report>{"start_time", time<&report::started_at>},
    field<report>{"end_time", time<&report::ended_at>},
    field<report>{"date_created", time<&report::noticed_at>},
    field<report>{"Timestamp", time<&report::noticed_at>},
    field<report>{"date_updated", time<&report::clock>},
    field<report>{"Timestamp", time<&report::clock>},
    field<report>{"duration", seconds<&report::duration>},
    field<report>{"CallDuration", seconds<&report::duration>},
    field<report>{"status", text<&report::ended_reason>},
    field<report>{"CallStatus", text<&report::ended_reason>},
};

constexpr std::array endings = {
    ending{"completed", "completed", ""},       ending{"busy", "failed", "no_answer"},
    ending{"no-answer", "failed", "no_answer"}, ending{"failed", "failed", "failed"},
    ending{"cancel*ed", "cancelled", ""},
};

void read_parties(report& into, const json::value& call) {
  const auto other = [&](std::string_view small, std::string_view large) {
    return text_at(call, at(call, small) ? small : large);
  };
  const std::string direction = folded(other("direction", "Direction"));
  const bool inbound = direction == "inbound" || direction == "trunking-terminating";
  if (inbound) into.direction = "inbound";
  if (matches("outbound*", direction) || direction == "trunking-originating")
    into.direction = "outbound";
  into.customer = inbound ? other("from", "From") : other("to", "To");
  into.own_number = inbound ? other("to", "To") : other("from", "From");
}

void ignore(report& into, std::string reason) {
  into.what = disposition::ignored;
  into.reason = std::move(reason);
}

void read_call(report& into, const json::value& call) {
  fill(into, call, std::span<const field<report>>(fields));
  end_by(into, folded(into.ended_reason), endings);
  if (into.status.empty()) return ignore(into, "the call has not ended");
  // A callback knows when it was sent, which is when the call ended.
  if (at(call, "CallSid") && !into.ended_at) into.ended_at = into.noticed_at;
  read_parties(into, call);
  const std::string answered =
      folded(text_at(call, at(call, "answered_by") ? "answered_by" : "AnsweredBy"));
  if (matches("machine-*", answered) && into.status == "completed") into.outcome = "voicemail";
  if (const auto price = at(call, "price")) {
    into.cost = read_amount(*price, 0, true);
    if (const auto unit = at(call, "price_unit")) currency(into, *unit);
  }
}

// --- what was said ------------------------------------------------------------------------------

void read_channel(report& into, turn& said, const json::value& payload,
                  const json::value& sentence) {
  const std::string channel = text_at(sentence, "media_channel");
  for (const json::value& participant : elements_at(payload, "transcript/channel/participants")) {
    if (text_at(participant, "channel_participant") == channel)
      return read_role(into, said, participant, "role");
  }
  said.role = channel == "1" ? speaker_role::agent : speaker_role::customer;
}

void read_sentences(report& into, const json::value& payload) {
  auto sentences = elements_at(payload, "sentences");
  if (sentences.empty()) sentences = elements_at(payload, "transcript/sentences");
  std::vector<std::pair<length, std::size_t>> order;
  for (const json::value& sentence : sentences) {
    const auto index = at(sentence, "sentence_index");
    order.emplace_back(index ? read_length(*index, 0) : 0, order.size());
  }
  // Pages of sentences may come in any order.
  std::ranges::sort(order);
  for (const auto& [index, place] : order) {
    const json::value& sentence = sentences[place];
    turn said;
    read_channel(into, said, payload, sentence);
    if (const auto begin = at(sentence, "start_time")) said.begin = read_length(*begin, 3);
    if (const auto end = at(sentence, "end_time")) said.end = read_length(*end, 3);
    if (const auto text = at(sentence, "transcript")) said.message = read_message(*text);
    add_turn(into, std::move(said));
  }
}

void read_operators(report& into, const json::value& payload) {
  for (const json::value& result : elements_at(payload, "operator_results")) {
    const std::string name = folded(text_at(result, "name"));
    if (matches("sentiment*", name)) {
      if (const auto label = at(result, "predicted_label")) sentiment(into, *label);
    }
    const auto text = at(result, "text_generation_results/result");
    if (matches("*summar*", name) && text)
      into.insights.push_back({"summary", read_message(*text), "Twilio's summary of the call"});
  }
}

void read(report& into, const json::value& payload) {
  std::optional<json::value> call = at(payload, "call");
  const bool has_words =
      first_at(payload, {"transcript", "sentences", "operator_results"}).has_value();
  if (!call && (at(payload, "CallSid") || !has_words)) call = payload;
  if (call && first_at(*call, {"status", "CallStatus"})) {
    read_call(into, *call);
  } else if (call) {
    // Without a status it only says which call the words are of.
    into.external_id = text_at(*call, at(*call, "sid") ? "sid" : "CallSid");
  }
  if (into.what == disposition::ignored) return;
  if (into.external_id.empty()) into.external_id = text_at(payload, "transcript/customer_key");
  read_sentences(into, payload);
  read_operators(into, payload);
  keep(into, payload, "recordings", "recordings");
  // With a status it is a call; words alone wait for theirs.
  if (!into.status.empty()) return;
  if (const auto when = at(payload, "transcript/date_updated")) into.clock = read_moment(*when);
  into.what = disposition::part;
  into.reason = "a transcript waits for its call, which knows when it was";
}

bool is_mine(const json::value& payload) {
  const auto sid = at(payload, "sid");
  return has(payload, "call/sid") || has(payload, "CallSid") || has(payload, "sentences") ||
         at(payload, "transcript/customer_key") || (sid && sid->text().starts_with("CA"));
}

}  // namespace

constexpr adapter twilio_adapter{is_mine, "/call/sid, /CallSid or a /sid that begins with CA", read,
                                 "start_time"};

}  // namespace vrm::imports
