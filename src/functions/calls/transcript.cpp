// What transcripts in results say: who spoke how much, how long answers took, how tools did.
#include "functions/calls/transcript.h"

#include <algorithm>
#include <array>

#include "boundary/call/function.h"
#include "boundary/value/record.h"
#include "core/calls/shapes.h"

namespace vrm::sql {
namespace {

/// As much as the columns that are filled from it hold.
constexpr std::int64_t longest_call = 2'147'483'647;  ///< ms

/// What is neither a success nor a failure yet.
constexpr std::array<std::string_view, 6> undecided = {"",       "unknown", "pending",
                                                       "queued", "running", "in_progress"};

/// Whether the times of a document's turns are whole seconds, however they are written.
bool is_in_whole_seconds(const pg::jsonb_value& document) {
  if (document.kind() != pg::jsonb_kind::object) return false;
  for (const auto& [name, value] : document.members()) {
    if (name == "precision")
      return value.kind() == pg::jsonb_kind::string && value.text() == "seconds";
  }
  return false;
}

turn read_turn(const pg::jsonb_object& members, bool whole_seconds) {
  turn read;
  std::optional<std::int64_t> seconds;
  std::optional<speaker_role> given;
  for (const auto& [name, value] : members) {
    if (name == "ms") read.begin = milliseconds_of(value);
    if (name == "endMs") read.end = milliseconds_of(value);
    if (name == "interrupted") {
      read.interrupted = value.kind() == pg::jsonb_kind::boolean && value.is_true();
    }
    if (value.kind() != pg::jsonb_kind::string) continue;
    if (name == "speaker") read.role = role_of_speaker(value.text()).value_or(read.role);
    if (name == "role") given = role_of_speaker(value.text());
    if (name == "message") read.words = count_words(value.text());
    if (name == "time") seconds = duration_seconds(value.text());
  }
  read.to_the_millisecond = read.begin.has_value() && !whole_seconds;
  if (!read.begin && seconds) read.begin = *seconds * 1000;
  // A role that is stated wins over what the speaker is called.
  read.role = given.value_or(read.role);
  return read;
}

/// Whether an action went well; nothing when nobody says.
std::optional<bool> verdict_of(const pg::jsonb_object& members) {
  std::optional<bool> by_status;
  for (const auto& [name, value] : members) {
    // Shorter names come first in jsonb: "ok" is met before "status", and wins.
    if (name == "ok" && value.kind() == pg::jsonb_kind::boolean) return value.is_true();
    if (name != "status" || value.kind() != pg::jsonb_kind::string) continue;
    if (std::ranges::find(undecided, value.text()) == undecided.end()) {
      by_status = value.text() == "success";
    }
  }
  return by_status;
}

using share = std::optional<double>;

share share_of(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

using figure = std::optional<std::chrono::microseconds>;

figure interval_of(std::optional<std::int64_t> milliseconds) {
  if (!milliseconds) return std::nullopt;
  return std::chrono::milliseconds(*milliseconds);
}

/// The answering time that half of them do not exceed, as percentile_disc() has it.
std::optional<std::int64_t> median(std::vector<std::int64_t> times) {
  if (times.empty()) return std::nullopt;
  // The lower one of two in the middle.
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>((times.size() - 1) / 2);
  std::ranges::nth_element(times, middle);
  return *middle;
}

}  // namespace

std::optional<std::int64_t> milliseconds_of(const pg::jsonb_value& value) {
  if (value.kind() != pg::jsonb_kind::number) return std::nullopt;
  const auto number = value.whole_number();
  if (!number || *number < 0 || *number > longest_call) return std::nullopt;
  return number;
}

std::optional<pg::jsonb_array> array_in(const pg::jsonb_value& document, std::string_view name) {
  if (document.kind() != pg::jsonb_kind::object) return std::nullopt;
  for (const auto& [found, value] : document.members()) {
    if (found == name && value.kind() == pg::jsonb_kind::array) return value.elements();
  }
  return std::nullopt;
}

transcript_figures read_transcript(const pg::jsonb_value& document) {
  transcript_figures figures;
  if (const auto transcript = array_in(document, "transcript")) {
    const bool whole_seconds = is_in_whole_seconds(document);
    for (const pg::jsonb_value element : *transcript) {
      pg::check_for_interrupts();
      if (element.kind() == pg::jsonb_kind::object)
        figures.add(read_turn(element.members(), whole_seconds));
    }
  }
  return figures;
}

tool_figures read_actions(const pg::jsonb_value& document) {
  tool_figures figures;
  if (const auto actions = array_in(document, "actionsTaken")) {
    for (const pg::jsonb_value action : *actions) {
      pg::check_for_interrupts();
      if (action.kind() != pg::jsonb_kind::object) continue;
      const auto verdict = verdict_of(action.members());
      ++figures.calls;
      figures.failures += static_cast<std::int32_t>(verdict == std::optional(false));
      figures.successes += static_cast<std::int32_t>(verdict == std::optional(true));
    }
  }
  return figures;
}

using transcript_row =
    pg::record<std::int32_t, std::int32_t, std::int32_t, std::int32_t, share, figure, share>;

transcript_row transcript_stats(pg::jsonb results) {
  const transcript_figures spoken = read_transcript(results.root());
  const tool_figures tools = read_actions(results.root());
  return {spoken.turns,
          spoken.agent_turns,
          spoken.agent_words,
          spoken.customer_words,
          share_of(spoken.agent_time, spoken.agent_time + spoken.customer_time),
          interval_of(spoken.longest_gap),
          share_of(tools.successes, tools.successes + tools.failures)};
}

using speech_row = pg::record<std::chrono::microseconds, std::chrono::microseconds, std::int32_t,
                              std::int32_t, figure, figure, std::int32_t, std::int32_t>;

speech_row speech_stats(pg::jsonb results) {
  const transcript_figures spoken = read_transcript(results.root());
  const tool_figures tools = read_actions(results.root());
  std::optional<std::int64_t> slowest;
  if (!spoken.answers.empty()) slowest = *std::ranges::max_element(spoken.answers);
  return {std::chrono::milliseconds(spoken.agent_time),
          std::chrono::milliseconds(spoken.customer_time),
          spoken.interruptions,
          static_cast<std::int32_t>(spoken.answers.size()),
          interval_of(median(spoken.answers)),
          interval_of(slowest),
          tools.calls,
          tools.failures};
}

/// The built-in role of a speaker; null for a word that is in no vocabulary.
std::optional<std::string_view> speaker_role_text(std::string_view speaker) {
  const auto role = role_of_speaker(speaker);
  if (!role) return std::nullopt;
  return name_of(*role);
}

}  // namespace vrm::sql

PG_EXPORT(vrm_transcript_stats, vrm::sql::transcript_stats);
PG_EXPORT(vrm_speech_stats, vrm::sql::speech_stats);
PG_EXPORT(vrm_speaker_role, vrm::sql::speaker_role_text);
