#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vrm {

/// Fills `bytes` from OpenSSL's generator, a few kilobytes at a time: asking it for twelve bytes
/// costs four times as much as sealing with them.  What is handed out is wiped from the buffer.
void random_bytes(std::span<std::byte> bytes);

/// Goes up in a forked child.  Random state that was drawn under another generation has to be
/// drawn anew: three forked backends once shared one nonce.
[[nodiscard]] std::uint32_t fork_generation();

}  // namespace vrm
