// Looks up which side of a call a speaker is on.
#include "functions/calls/vocabulary.h"

#include "boundary/call/statement.h"
#include "core/platform/error.h"

namespace vrm::sql {
namespace {

constexpr std::size_t longest_shown = 100;  ///< bytes of a word in an error

pg::statement<1> role_of("SELECT s.role FROM vrm.speaker_roles s WHERE s.speaker = $1", {TEXTOID});

std::optional<speaker_role> looked_up(std::string_view key) {
  if (role_of.run({pg::argument(key)}) == 0) return std::nullopt;
  return pg::guarded([] {
    bool null = false;
    const Datum role = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
    return role_called(pg::datum_traits<std::string_view>::from(role));
  });
}

}  // namespace

/// A list will do: few speakers talk in one call.
std::optional<speaker_role> role_book::find(std::string_view word) {
  for (const auto& [known, role] : known_) {
    if (known == word) return role;
  }
  const auto role = looked_up(speaker_key(word));
  known_.emplace_back(word, role);
  return role;
}

speaker_role role_book::of_speaker(std::string_view speaker) {
  return find(speaker).value_or(speaker_role::customer);
}

speaker_role role_book::of_role(std::string_view role) {
  if (const auto known = role_called(role)) return *known;
  if (const auto found = find(role)) return *found;
  throw error("22023", "role is not known")
      .detail("Got \"" + std::string(role.substr(0, longest_shown)) + "\".")
      .hint(
          "INSERT INTO vrm.speaker_roles (speaker, role) VALUES (..., 'agent'); or 'customer', "
          "'tool', 'system'.");
}

}  // namespace vrm::sql
