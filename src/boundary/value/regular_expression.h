#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "boundary/error/guard.h"

extern "C" {
#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "regex/regex.h"
}

namespace pg {

/// PostgreSQL's own regular expressions, without its cache: what cannot be compiled or matched is a
/// text here, not an ERROR.
class regular_expression {
 public:
  /// `flags` as in regex/regex.h, in the database's collation.
  regular_expression(std::string_view pattern, int flags) {
    wide(pattern, pattern_);
    failed_ = guarded([&] {
      // REG_NOSUB: only whether it matches is asked, which spares the search for where.
      return pg_regcomp(&compiled_, pattern_.data(), pattern_.size(), flags | REG_NOSUB,
                        DEFAULT_COLLATION_OID);
    });
  }
  ~regular_expression() {
    if (failed_ == REG_OKAY) pg_regfree(&compiled_);
  }
  regular_expression(const regular_expression&) = delete;
  regular_expression& operator=(const regular_expression&) = delete;

  /// Why it is not valid, or too complex; empty when all is well.
  [[nodiscard]] std::string problem() const {
    if (failed_ == REG_OKAY) return {};
    std::array<char, 100> text{};
    pg_regerror(failed_, nullptr, text.data(), text.size());
    return text.data();
  }

  /// Whether it refers back to what it has matched: then time may grow without bound.
  [[nodiscard]] bool looks_back() const noexcept {
    return failed_ == REG_OKAY && (compiled_.re_info & REG_UBACKREF) != 0;
  }

  /// Whether it occurs anywhere in `text`; not so when there is a problem.
  [[nodiscard]] bool occurs(std::string_view text) {
    if (failed_ != REG_OKAY) return false;
    wide(text, subject_);
    const int found = guarded([&] {
      return pg_regexec(&compiled_, subject_.data(), subject_.size(), 0, nullptr, 0, nullptr, 0);
    });
    return found == REG_OKAY;
  }

 private:
  /// The text has to be valid in the database's encoding, as every text value is.
  static void wide(std::string_view text, std::vector<pg_wchar>& characters) {
    characters.resize(text.size() + 1);
    const int count = guarded([&] {
      return pg_mb2wchar_with_len(text.data(), characters.data(), static_cast<int>(text.size()));
    });
    characters.resize(static_cast<std::size_t>(count));
  }

  regex_t compiled_{};
  int failed_ = REG_OKAY;
  std::vector<pg_wchar> pattern_;
  std::vector<pg_wchar> subject_;  ///< kept from one text to the next for its memory alone
};

}  // namespace pg
