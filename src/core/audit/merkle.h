#pragma once

#include <cstddef>
#include <span>

#include "core/platform/digest.h"

namespace vrm {

/// Root of the Merkle tree of RFC 6962, section 2.1, over hashes of leaves that lie one after the
/// other, 32 bytes each.  Throws 22023 for none, or for a size that is no multiple of 32.
[[nodiscard]] sha256 merkle_root(std::span<const std::byte> leaves);

}  // namespace vrm
