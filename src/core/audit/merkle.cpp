#include "core/audit/merkle.h"

#include <cstring>
#include <vector>

#include "core/platform/error.h"

namespace vrm {

sha256 merkle_root(std::span<const std::byte> leaves) {
  if (leaves.empty() || leaves.size() % sizeof(sha256) != 0) {
    throw error("22023", "leaves of a tree must have 32 bytes each")
        .detail("There must be at least one.");
  }
  std::vector<sha256> level(leaves.size() / sizeof(sha256));
  std::memcpy(level.data(), leaves.data(), leaves.size());

  // Splitting at the largest power of two, as the RFC does, pairs neighbours on every level and
  // takes an odd last one up as it is.
  // RFC 6962 puts a 1 before inner nodes and a 0 before leaves: neither passes for the other.
  static constexpr std::byte inner{1};
  while (level.size() > 1) {
    std::size_t parents = 0;
    for (std::size_t i = 0; i < level.size(); i += 2) {
      if (i + 1 == level.size()) {
        level[parents++] = level[i];
        continue;
      }
      // In place: parents stand where children stood that have been read.
      level[parents++] = sha256_of({{&inner, 1}, std::as_bytes(std::span(&level[i], 2))});
    }
    level.resize(parents);
  }
  return level.front();
}

}  // namespace vrm
