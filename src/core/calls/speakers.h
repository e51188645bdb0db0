#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vrm {

/// Which side of a call a turn is from.  Only agent and customer speak; tools and prompts stand in
/// transcripts of some platforms and count in no figure of speech.
enum class speaker_role : std::uint8_t { agent, customer, tool, system };

/// "agent", "customer", "tool" or "system", and nothing else.
[[nodiscard]] std::optional<speaker_role> role_called(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(speaker_role role) noexcept;

/// A name as vocabularies have it: ASCII letters are small, what separates words is "_".
[[nodiscard]] std::string speaker_key(std::string_view speaker);

/// The role of a speaker whom one of the usual platforms calls so, such as "assistant" or
/// "End user"; nothing for other words.
[[nodiscard]] std::optional<speaker_role> role_of_speaker(std::string_view speaker) noexcept;

}  // namespace vrm
