// Random bytes in batches, safe across fork().
#include "core/platform/random.h"

#include <openssl/rand.h>
#include <pthread.h>

#include <array>
#include <cstring>

#include "core/platform/openssl.h"

namespace vrm {
namespace {

std::uint32_t generation = 0;  ///< 0 until somebody asks

struct batch {
  std::array<std::byte, 4096> bytes{};
  std::size_t used = sizeof(bytes);
  std::uint32_t drawn_in = 0;  ///< generation; 0 is none, since they begin at 1
};
batch drawn;

void fill(std::span<std::byte> bytes) {
  openssl::require(RAND_bytes(openssl::data(bytes), static_cast<int>(bytes.size())) == 1,
                   "draw random bytes");
}

}  // namespace

std::uint32_t fork_generation() {
  if (generation == 0) [[unlikely]] {
    // Tells a child that it is one.  The module is never unloaded, so neither is the handler.
    openssl::require(pthread_atfork(nullptr, nullptr, [] { ++generation; }) == 0,
                     "watch for fork()");
    generation = 1;
  }
  return generation;
}

void random_bytes(std::span<std::byte> bytes) {
  // Large requests would use the batch up for little: they go to OpenSSL directly.
  if (bytes.size() > drawn.bytes.size() / 4) {
    fill(bytes);
    return;
  }
  const std::uint32_t now = fork_generation();
  if (drawn.used + bytes.size() > drawn.bytes.size() || drawn.drawn_in != now) [[unlikely]] {
    drawn.used = drawn.bytes.size();  // nothing is handed out when the next line throws
    fill(drawn.bytes);
    drawn.used = 0;
    drawn.drawn_in = now;
  }
  const auto next = std::span(drawn.bytes).subspan(drawn.used, bytes.size());
  std::memcpy(bytes.data(), next.data(), next.size());
  // Whoever reads this process's memory later learns no nonce and no key from here.
  std::memset(next.data(), 0, next.size());
  drawn.used += next.size();
}

}  // namespace vrm
