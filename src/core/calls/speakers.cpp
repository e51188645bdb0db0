// The words that platforms have for the two sides of a call.
#include "core/calls/speakers.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vrm {
namespace {

using enum speaker_role;
using word = std::pair<std::string_view, speaker_role>;

// in the order of bytes; vrm.speaker_roles begins with the same words
constexpr std::array words = {
    word{"advisor", agent},
    word{"agent", agent},
    word{"ai", agent},
    word{"ai_agent", agent},
    word{"assistant", agent},
    word{"automated_agent", agent},
    word{"bot", agent},
    word{"caller", customer},
    word{"chatbot", agent},
    word{"client", customer},
    word{"contact", customer},
    word{"custom_bot", agent},
    word{"customer", customer},
    word{"developer", system},
    word{"end_user", customer},
    word{"external", customer},
    word{"function", tool},
    word{"function_call", tool},
    word{"function_call_output", tool},
    word{"human", customer},
    word{"human_agent", agent},
    word{"internal", agent},
    word{"model", agent},
    word{"operator", agent},
    word{"representative", agent},
    word{"robot", agent},
    word{"supervisor", agent},
    word{"system", system},
    word{"tool", tool},
    word{"tool_call", tool},
    word{"tool_call_invocation", tool},
    word{"tool_call_result", tool},
    word{"tool_calls", tool},
    word{"transfer_target", agent},
    word{"user", customer},
    word{"virtual_agent", agent},
    word{"voice_agent", agent},
};
static_assert(std::ranges::is_sorted(words, {}, &word::first));
// What is longer is none of them, so the copy below has room.
constexpr std::size_t longest_word = 32;

constexpr char key_character(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == ' ' || c == '-' ? '_' : c;
}

}  // namespace

std::optional<speaker_role> role_called(std::string_view name) noexcept {
  for (const speaker_role role : {agent, customer, tool, system}) {
    if (name == name_of(role)) return role;
  }
  return std::nullopt;
}

std::string_view name_of(speaker_role role) noexcept {
  constexpr std::array<std::string_view, 4> names = {"agent", "customer", "tool", "system"};
  return names[static_cast<std::size_t>(role)];
}

std::string speaker_key(std::string_view speaker) {
  std::string key(speaker);
  std::ranges::transform(key, key.begin(), key_character);
  return key;
}

/// Without memory of its own: figures ask this for each turn.
std::optional<speaker_role> role_of_speaker(std::string_view speaker) noexcept {
  std::array<char, longest_word> key{};
  if (speaker.size() > key.size()) return std::nullopt;
  std::ranges::transform(speaker, key.begin(), key_character);
  const std::string_view wanted(key.data(), speaker.size());
  const auto* const found = std::ranges::lower_bound(words, wanted, {}, &word::first);
  if (found == words.end() || found->first != wanted) return std::nullopt;
  return found->second;
}

}  // namespace vrm
