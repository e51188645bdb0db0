#include "core/identity/acting.h"

#include <algorithm>
#include <array>

#include "core/platform/error.h"

namespace vrm {
namespace {

constexpr std::array<std::string_view, 4> role_names = {"viewer", "member", "manager", "admin"};
constexpr std::size_t uuid_length = 36;

}  // namespace

std::optional<team_role> parse_team_role(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(role_names, name);
  if (found == role_names.end()) return std::nullopt;
  return static_cast<team_role>(found - role_names.begin());
}

std::string_view name_of(team_role role) noexcept {
  return role_names[static_cast<std::size_t>(role)];
}

std::string to_string(const acting& choice) {
  std::string text = to_string(choice.person);
  if (choice.has_organisation) text += ' ' + to_string(choice.organisation);
  return text;
}

acting read_acting(std::string_view text) {
  // substr() ends with the text, so one that is too short is merely no UUID.
  const std::optional<uuid> person = parse_uuid(text.substr(0, uuid_length));
  const std::string_view rest = text.substr(std::min(text.size(), uuid_length));
  const std::optional<uuid> organisation =
      rest.starts_with(' ') ? parse_uuid(rest.substr(1)) : std::nullopt;
  if (!person || (!rest.empty() && !organisation)) {
    throw vrm::error("22P02", "invalid choice of an organisation")
        .hint("SELECT vrm.act_as(organisation);");
  }
  return {.person = *person,
          .organisation = organisation.value_or(uuid{}),
          .has_organisation = organisation.has_value()};
}

}  // namespace vrm
