#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/platform/digest.h"

namespace vrm {

/// SHA-256 of the values of a row, one after the other.
///
/// Each value is preceded by its size as 8 bytes, big endian, all ones for null, so that no two
/// rows have the same bytes.
/// begin() comes first; which columns, and in which order, is up to the caller.
class row_digest : public sha256_digest {
 public:
  void add_null();
  void add(byte_view value);

 private:
  void add_size(std::uint64_t size);
};

/// SHA-256 of rows as a set: of their digests, sorted.  In which order they lie in a table, which
/// a dump or CLUSTER changes, does not matter.
[[nodiscard]] sha256 digest_of_set(std::vector<sha256> rows);

}  // namespace vrm
