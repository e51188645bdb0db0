// Amazon Connect: contact records, contacts of its API, and Contact Lens' analyses of calls.
//
// Source: botocore's data/connect and data/connect-contact-lens, and the administrator guide's
// pages on contact records and Contact Lens' output files.  No single document is a call: the
// contact knows when it was and how it ended, the analysis what was said.
#include <algorithm>
#include <array>
#include <map>

#include "core/calls/imports_fields.h"
#include "core/calls/imports_values.h"

namespace vrm::imports {
namespace {

// The record and the API call some members differently.
constexpr std::array contact_fields = {
    field<report>{"ContactId", text<&report::external_id>},
    field<report>{"Id", text<&report::external_id>},
    field<report>{"InitiationTimestamp", time<&report::started_at>},
    field<report>{"ConnectedToSystemTimestamp", time<&report::started_at>},
    field<report>{"DisconnectTimestamp", time<&report::ended_at>},
    field<report>{"LastUpdateTimestamp", time<&report::clock>},
    field<report>{"DisconnectReason", text<&report::ended_reason>},
    field<report>{"CustomerEndpoint/Address", text<&report::customer>},
    field<report>{"SystemEndpoint/Address", text<&report::own_number>},
};

struct initiation {
  std::string_view method;
  std::string_view direction;
};
constexpr std::array<initiation, 8> initiations = {{{"inbound", "inbound"},
                                                    {"transfer", "inbound"},
                                                    {"queue-transfer", "inbound"},
                                                    {"webrtc-api", "inbound"},
                                                    {"outbound", "outbound"},
                                                    {"callback", "outbound"},
                                                    {"api", "outbound"},
                                                    {"external-outbound", "outbound"}}};

constexpr std::array answers = {
    ending{"sit-tone-invalid-number", "failed", "failed"},
    ending{"amd-unanswered", "failed", "no_answer"},
    ending{"sit-tone-busy", "failed", "no_answer"},
    ending{"voicemail-*", "completed", "voicemail"},
};

bool waited_in_vain(const report& into, const json::value& contact) {
  const bool queued =
      first_at(contact, {"Queue/EnqueueTimestamp", "QueueInfo/EnqueueTimestamp"}).has_value();
  const bool served =
      first_at(contact, {"Agent/ConnectedToAgentTimestamp", "AgentInfo/ConnectedToAgentTimestamp"})
          .has_value();
  // The customer hung up while waiting: to the platform a call that went to its end.
  return queued && !served && folded(into.ended_reason) == "customer-disconnect";
}

void read_end(report& into, const json::value& contact) {
  const std::string answered = folded(text_at(contact, "AnsweringMachineDetectionStatus"));
  into.status = "completed";
  end_by(into, answered, answers);
  if (folded(into.ended_reason) == "telecom-problem") into.status = into.outcome = "failed";
  if (!into.outcome.empty()) return;
  if (first_at(contact, {"TransferCompletedTimestamp", "TransferredToEndpoint/Address"})) {
    into.outcome = "transferred";
  } else if (waited_in_vain(into, contact)) {
    into.outcome = "abandoned";
  }
}

void ignore(report& into, std::string reason) {
  into.what = disposition::ignored;
  into.reason = std::move(reason);
}

void read_contact(report& into, const json::value& contact) {
  fill(into, contact, std::span<const field<report>>(contact_fields));
  if (at(contact, "Channel") && !says(contact, "Channel", "voice")) {
    ignore(into, "a contact of channel \"" + text_at(contact, "Channel") + "\" is not a call");
    return;
  }
  if (!into.ended_at) {
    ignore(into, "the contact has not ended");
    return;
  }
  const std::string method = folded(text_at(contact, "InitiationMethod"));
  // Methods that are not listed leave the direction unknown.
  const auto* const known =
      std::ranges::find(initiations, std::string_view(method), &initiation::method);
  if (known != initiations.end()) into.direction = known->direction;
  read_end(into, contact);
}

// --- the analysis -------------------------------------------------------------------------------

class analysis {
 public:
  analysis(report& into, const json::value& document) : into_(&into), document_(&document) {
    for (const json::value& participant : elements_at(document, "Participants")) {
      const std::string id = text_at(participant, "ParticipantId");
      roles_.emplace(id, text_at(participant, "ParticipantRole"));
    }
  }

  void read() {
    into_->redacted = says(*document_, "ContentMetadata/Output", "redacted");
    for (const json::value& segment : elements_at(*document_, "Transcript")) read_segment(segment);
    for (const json::value& segment : elements_at(*document_, "Segments")) {
      if (const auto said = at(segment, "Transcript")) read_segment(*said);
    }
    mark_interruptions();
    read_sentiment();
    if (const auto summary = at(*document_,
                                "ConversationCharacteristics/ContactSummary/"
                                "PostContactSummary/Content"))
      into_->insights.push_back(
          {"summary", read_message(*summary), "Contact Lens' summary of the call"});
  }

 private:
  /// ParticipantId is an id of the list above, or the role itself, both in one file.
  [[nodiscard]] std::string role_word(const json::value& segment) const {
    std::string stated = text_at(segment, "ParticipantRole");
    if (!stated.empty()) return stated;
    const std::string id = text_at(segment, "ParticipantId");
    const auto listed = roles_.find(id);
    return listed == roles_.end() ? id : listed->second;
  }

  void read_segment(const json::value& segment) {
    turn said;
    set_role(*into_, said, role_word(segment));
    if (const auto content = at(segment, "Content")) said.message = read_message(*content);
    if (const auto begin = at(segment, "BeginOffsetMillis")) said.begin = read_length(*begin, 0);
    if (const auto end = at(segment, "EndOffsetMillis")) said.end = read_length(*end, 0);
    said.sentiment = sentiment_of(text_at(segment, "Sentiment"));
    if (said.sentiment == "none") said.sentiment.clear();
    add_turn(*into_, std::move(said));
  }

  /// Who interrupts is known, and when: it is the other one's turn of that moment that suffers.
  void mark_interruptions() {
    const auto by = at(*document_,
                       "ConversationCharacteristics/Interruptions/"
                       "InterruptionsByInterrupter");
    if (!by) return;
    for (const auto& [who, list] : by->members()) {
      std::vector<length> moments;
      for (const json::value& interruption : list.elements()) {
        if (const auto begin = at(interruption, "BeginOffsetMillis"))
          moments.push_back(read_length(*begin, 0));
      }
      std::ranges::sort(moments);
      mark_interrupted(role_of(who), moments);
    }
  }

  void mark_interrupted(speaker_role interrupter, const std::vector<length>& moments) {
    for (turn& said : into_->turns) {
      // A turn without an end cannot be said to have been going on.
      if (said.role == interrupter || !said.begin || !said.end) continue;
      const auto first = std::ranges::lower_bound(moments, *said.begin);
      if (first != moments.end() && *first < *said.end) said.interrupted = true;
    }
  }

  void read_sentiment() {
    const auto score =
        at(*document_, "ConversationCharacteristics/Sentiment/OverallSentiment/CUSTOMER");
    if (!score) return;
    const auto number = score->number();
    if (!number) mismatch(*score, "a number from -5 to 5");
    // The score is a number: within one of the middle counts as neutral.
    into_->sentiment = *number > 1 ? "positive" : *number < -1 ? "negative" : "neutral";
  }

  report* into_;
  const json::value* document_;
  std::map<std::string, std::string> roles_;
};

/// Where the analysis was stored tells which contact it is of, and when it was made:
/// ".../<contact>_analysis_2026-08-18T20:36:28Z.json"
void read_key(report& into, std::string_view key) {
  constexpr std::string_view mark = "_analysis_";
  key.remove_prefix(std::min(key.rfind('/') + 1, key.size()));
  const std::size_t found = key.find(mark);
  if (found == std::string_view::npos) return;
  if (into.external_id.empty()) into.external_id = key.substr(0, found);
  std::string time(key.substr(found + mark.size()));
  time.erase(std::min(time.find(".json"), time.size()));
  // On its way the colons of the time may have become "_".
  std::ranges::replace(time, '_', ':');
  if (const auto made = parse_moment(time)) into.noticed_at = made;
}

void read(report& into, const json::value& payload) {
  std::optional<json::value> contact = first_at(payload, {"contact/Contact", "contact", "Contact"});
  std::optional<json::value> analysed = at(payload, "analysis");
  if (!contact && !analysed) {
    const bool is_analysis = at(payload, "Segments") || at(payload, "Transcript") ||
                             at(payload, "ConversationCharacteristics");
    (is_analysis ? analysed : contact) = payload;
  }
  if (contact) read_contact(into, *contact);
  if (into.what == disposition::ignored || !analysed) return;
  if (into.external_id.empty()) into.external_id = text_at(*analysed, "CustomerMetadata/ContactId");
  for (const std::string_view path : {"contact_id", "ContactId"}) {
    if (into.external_id.empty()) into.external_id = text_at(payload, path);
  }
  for (const auto& key : {at(payload, "key"), at(*analysed, "key")}) {
    if (key) read_key(into, read_text(*key));
  }
  analysis(into, *analysed).read();
  if (contact) return;
  if (into.noticed_at) {
    into.clock = into.noticed_at;
    return;
  }
  into.what = disposition::part;
  into.reason = "an analysis waits for its contact, which knows when the call was";
}

bool is_mine(const json::value& payload) {
  return has(payload, "contact") || has(payload, "analysis") || has(payload, "ContactId") ||
         has(payload, "Contact/Id") || has(payload, "Segments") ||
         (has(payload, "Id") && has(payload, "InitiationMethod")) ||
         (has(payload, "JobStatus") && has(payload, "ConversationCharacteristics"));
}

}  // namespace

constexpr adapter connect_adapter{
    is_mine, "/contact, /analysis, /ContactId, /Contact/Id, /JobStatus or /Segments", read,
    "InitiationTimestamp"};

}  // namespace vrm::imports
