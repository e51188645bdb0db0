#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/platform/uuid.h"

namespace vrm {

/// What a member of an organisation may do, from the least to the most.
enum class team_role : std::uint8_t { viewer, member, manager, admin };

/// Nothing for another word.
[[nodiscard]] std::optional<team_role> parse_team_role(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(team_role role) noexcept;

/// Whom a person acts for during a transaction: an organisation, or themselves whatever their token
/// says.
///
/// Trivially copyable, because PostgreSQL keeps it beside the text of the setting vrm.acting.
struct acting {
  uuid person{};
  uuid organisation{};  ///< when `has_organisation`
  bool has_organisation = false;

  friend bool operator==(const acting&, const acting&) = default;
};

/// "PERSON ORGANISATION", or "PERSON" for themselves.
[[nodiscard]] std::string to_string(const acting& choice);

/// Reads that again.  Throws 22P02.
[[nodiscard]] acting read_acting(std::string_view text);

}  // namespace vrm
