#pragma once

#include <cstddef>
#include <string_view>

#include "boundary/error/guard.h"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace pg {

/// Whether `text`, in the database's encoding, has more than `limit` characters.
/// Counts only when the number of bytes does not tell.
inline bool longer_than(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return false;
  return guarded([&] {
    const auto widest = static_cast<std::size_t>(pg_database_encoding_max_length());
    // Far above the limit the bytes settle it, too: no character has more than `widest` of them.
    if (text.size() / widest > limit) return true;
    const int characters = pg_mbstrlen_with_len(text.data(), static_cast<int>(text.size()));
    return static_cast<std::size_t>(characters) > limit;
  });
}

}  // namespace pg
