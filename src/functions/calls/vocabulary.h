#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/calls/speakers.h"

namespace vrm::sql {

/// Roles of speakers as vrm.speaker_roles has them, each looked up once.  Needs an spi_session,
/// whose rows are other ones after each call.
class role_book {
 public:
  /// Of a speaker; words of no vocabulary are a customer's.
  [[nodiscard]] speaker_role of_speaker(std::string_view speaker);

  /// Of a role that was given as such; throws 22023 for words of no vocabulary.
  [[nodiscard]] speaker_role of_role(std::string_view role);

  /// Of either, where the table has the word.
  [[nodiscard]] std::optional<speaker_role> find(std::string_view word);

 private:
  /// What was asked before, with nothing for words of no vocabulary.
  std::vector<std::pair<std::string, std::optional<speaker_role>>> known_;
};

}  // namespace vrm::sql
