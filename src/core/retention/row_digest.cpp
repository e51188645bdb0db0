#include "core/retention/row_digest.h"

#include <algorithm>
#include <limits>

#include "core/platform/big_endian.h"

namespace vrm {

void row_digest::add_null() { add_size(std::numeric_limits<std::uint64_t>::max()); }

void row_digest::add(std::span<const std::byte> value) {
  add_size(value.size());
  append(value);
}

void row_digest::add_size(std::uint64_t size) { append(to_big_endian(size)); }

/// A set has no order: two that differ in one row only, or in how often it occurs, differ here.
sha256 digest_of_set(std::vector<sha256> rows) {
  std::ranges::sort(rows);
  return sha256_of({std::as_bytes(std::span(rows))});
}

}  // namespace vrm
