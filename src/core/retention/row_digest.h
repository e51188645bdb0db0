#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/platform/openssl.h"

namespace vrm {

using sha256 = std::array<std::byte, 32>;

/// SHA-256 of the values of a row, one after the other.
///
/// Each value is preceded by its size as 8 bytes, big endian, all ones for null, so that no two
/// rows have the same bytes.  The context is reused: setting one up costs more than a short row.
class row_digest {
 public:
  row_digest();

  void begin();
  void add_null();
  void add(std::span<const std::byte> value);
  /// Bytes as they are, without their size.
  void append(std::span<const std::byte> bytes);
  [[nodiscard]] sha256 finish();

 private:
  void add_size(std::uint64_t size);

  openssl::digest algorithm_;
  openssl::digest_context context_;
};

/// SHA-256 of rows as a set: of their digests, sorted.  In which order they lie in a table, which
/// a dump or CLUSTER changes, does not matter.
[[nodiscard]] sha256 digest_of_set(std::vector<sha256> rows);

}  // namespace vrm
