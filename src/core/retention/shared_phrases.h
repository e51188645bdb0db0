#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vrm {

/// Makes dictionaries of what many say and nobody in particular: phrases that at least so many
/// tenants use.
///
/// A trained dictionary would be smaller by a sixth, and be made of whole messages with the names,
/// addresses and numbers that one tenant's calls are about.  Here nothing goes in that fewer than
/// `tenants` say, and no word with a digit or an "@" whoever says it.
class shared_phrases {
 public:
  /// What is said from here on is another tenant's; each tenant comes once.
  void next_tenant();
  /// One message, in UTF-8; words are told by spaces.
  void add(std::string_view message);

  [[nodiscard]] std::uint32_t tenants() const noexcept { return tenant_; }

  /// The phrases that at least so many tenants use, those that save most last, at most so many
  /// bytes.
  [[nodiscard]] std::string content(std::uint32_t tenants, std::size_t most_bytes) const;

 private:
  /// What a map of so many takes is about 200 MB; past it what one tenant alone has said is
  /// forgotten.  Counts may so become too low, never too high.
  static constexpr std::size_t most_phrases = 2'000'000;
  static constexpr std::size_t most_words = 6;

  struct usage {
    std::uint32_t tenants = 0;
    std::uint32_t last_tenant = 0;
    std::uint64_t uses = 0;
  };

  struct candidate {
    std::string_view phrase;
    std::uint64_t saves;
  };

  void count(std::string_view phrase);
  void count_runs(std::string_view message, const std::vector<std::string_view>& words);
  [[nodiscard]] std::vector<candidate> candidates(std::uint32_t tenants) const;

  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::unordered_map<std::string, usage, text_hash, std::equal_to<>> phrases_;
  std::uint32_t tenant_ = 0;
};

}  // namespace vrm
