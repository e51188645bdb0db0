#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/platform/json.h"

/// Call reports of voice-agent vendors, each read into one form of a call.
///
/// A report says what it says and no more: what it lacks stays empty, so that reports of one call
/// can be laid over each other.  doc/calls/imports.md tells people which member becomes what.
namespace vrm::imports {

/// In the order of the adapters, see imports.cpp; stored by name.
enum class source : std::uint8_t { vrm, vapi, retell, elevenlabs, livekit, connect, twilio };

[[nodiscard]] std::optional<source> source_of(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(source which) noexcept;

using moment = std::int64_t;  ///< ms since 1970 in UTC
using length = std::int64_t;  ///< ms; of turns and actions since the call began

enum class speaker_role : std::uint8_t { unknown, agent, customer, tool, system };

/// How far what a source says of turns can be trusted.
enum class precision : std::uint8_t { milliseconds, seconds, none };

/// Something that was said.
struct turn {
  speaker_role role = speaker_role::unknown;
  std::string speaker;  ///< as the source says where that tells more than the role
  std::string message;
  std::optional<length> begin;
  std::optional<length> end;
  bool interrupted = false;
  std::string sentiment;                                ///< positive, neutral, negative; or empty
  std::vector<std::pair<std::string, length>> latency;  ///< parts of its answering time, in ms
};

/// What the agent did: mostly a call of a tool.
struct action {
  std::string id;  ///< pairs a call of a tool with its result
  std::string name;
  std::string arguments;  ///< JSON
  std::string result;     ///< JSON
  std::string status;     ///< in the source's words; empty where only `ok` is known
  std::optional<bool> ok;
  std::optional<length> begin;
  std::optional<length> took;  ///< how long it took
};

struct insight {
  std::string type;
  std::string value;
  std::string description;
};

/// A word that no vocabulary of ours knows.
struct unknown_word {
  std::string field;
  std::string word;
};

enum class disposition : std::uint8_t {
  call,    ///< makes or amends a call
  part,    ///< only amends: it cannot tell when the call was
  ignored  ///< no report of a call that has ended
};

/// What a source says of one call.
struct report {
  disposition what = disposition::call;
  std::string reason;  ///< why it is ignored, or what a part waits for

  std::string external_id;
  std::optional<moment> started_at;
  std::optional<moment> ended_at;
  std::optional<moment> noticed_at;  ///< creation or event time: when nothing better is said
  std::optional<length> duration;
  bool is_guess = false;        ///< when it ended is not said, and only a guess for want of better
  std::optional<moment> clock;  ///< which of two reports is the newer one

  std::string status;        ///< completed, failed, cancelled; empty where nothing tells
  std::string ended_reason;  ///< the source's word
  std::string outcome;       ///< a word of our vocabulary, or the source's
  std::string customer;      ///< a number or an address
  std::string direction;     ///< inbound, outbound
  std::string agent_id;
  std::string agent_name;
  std::string own_number;  ///< another name for the agent
  std::string agent_version;
  std::string sentiment;
  std::string cost;  ///< a JSON number, in major units
  std::string currency;
  std::string error;  ///< what went wrong, in words

  precision times = precision::milliseconds;
  bool redacted = false;  ///< its text must not be replaced by one that is not
  std::vector<turn> turns;
  std::vector<action> actions;
  /// Ids are the source's: the same one twice is one action.
  std::map<std::string, std::size_t> action_places;  ///< of those with an id, in actions
  std::vector<insight> insights;
  std::vector<std::pair<std::string, std::string>> vendor;  ///< what has no place above, as JSON

  std::vector<unknown_word> unknown;  ///< for whoever extends the vocabularies
  std::vector<std::string> notes;     ///< what was assumed or mended, for people to read
};

/// Whose report a document looks like; nothing when it is nobody's.
[[nodiscard]] std::optional<source> recognise(const json::value& payload);

/// Reads a report that has come from `which` at the moment `arrived`; `external_id` is for those
/// that do not name their call.
///
/// Throws 22023 with a JSON pointer and a reason as DETAIL when it is no such report, or when a
/// member that counts is not what it has to be.
[[nodiscard]] report read(source which, const json::value& payload, moment arrived,
                          const std::string& external_id = {});

/// The document for test_runs.results, or the part of it that the report says something of; as a
/// whole it also has the empty lists of what there is none of.
[[nodiscard]] std::string results_of(const report& read, bool whole);

}  // namespace vrm::imports
