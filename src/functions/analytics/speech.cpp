// What a call's transcript and actions come to in statistics.
#include "functions/analytics/speech.h"

#include <algorithm>
#include <utility>

#include "core/analytics/conversation_stats.h"
#include "functions/calls/transcript.h"

namespace vrm::sql {
namespace {

std::optional<std::int32_t> small(std::int64_t number) {
  return static_cast<std::int32_t>(std::min<std::int64_t>(number, PG_INT32_MAX));
}

}  // namespace

speech read_speech(const std::optional<pg::jsonb>& results) {
  speech said;
  if (!results) return said;
  transcript_figures spoken = read_transcript(results->root());
  // Whole seconds tell who spoke how much, and give no answers: see transcript_figures.
  if (spoken.is_timed) {
    said.agent_ms = small(spoken.agent_time);
    said.customer_ms = small(spoken.customer_time);
    said.interruptions = spoken.interruptions;
    said.answers = pack_answers(std::move(spoken.answers));
  }
  const tool_figures tools = read_actions(results->root());
  if (tools.calls > 0) {
    said.tool_calls = tools.calls;
    said.tool_failures = tools.failures;
  }
  return said;
}

}  // namespace vrm::sql
