#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/secrets/envelope.h"

namespace vrm {

/// How many bytes masking adds.
inline constexpr std::size_t transit_overhead = 16;

/// Masks a secret on its way through this process, so that whoever prints, copies or dumps the
/// masked form learns nothing: AES-256-CTR under a key that the process makes and never shows.
/// `masked` is plaintext.size() + transit_overhead bytes.
void mask_secret(byte_view plaintext, std::span<std::byte> masked);

/// Puts the plaintext, masked.size() - transit_overhead bytes, into `plaintext`.  Returns false
/// for what another process masked or what is too short; it is no protection against forgery,
/// because nothing but this process makes and reads masked secrets.
[[nodiscard]] bool unmask_secret(byte_view masked, std::span<std::byte> plaintext);

}  // namespace vrm
