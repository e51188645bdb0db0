// The masked form: 8 bytes that name the process, 8 bytes of a counter, then text XOR keystream.
#include "core/transit.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "core/data_key.h"
#include "core/openssl.h"
#include "core/random.h"

namespace vrm {
namespace {

struct transit {
  std::uint32_t made_in = 0;  ///< fork generation; a child makes its own
  std::array<std::byte, 8> process{};
  std::uint64_t counter = 0;
  openssl::cipher_context cipher;
};

transit& current() {
  static transit state;
  if (state.made_in != fork_generation()) [[unlikely]] {
    static const openssl::cipher ctr(EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr));
    const secret_key key = secret_key::random();
    state.cipher.reset(EVP_CIPHER_CTX_new());
    openssl::require(ctr != nullptr && state.cipher != nullptr &&
                         EVP_EncryptInit_ex2(state.cipher.get(), ctr.get(),
                                             openssl::data(key.bytes()), nullptr, nullptr) == 1,
                     "set up a cipher");
    random_bytes(state.process);
    state.made_in = fork_generation();
  }
  return state;
}

/// XORs `in` with the keystream of `counter`.
void apply(transit& state, byte_view counter, byte_view in, std::span<std::byte> out) {
  std::array<unsigned char, 16> block{};
  std::memcpy(block.data(), counter.data(), counter.size());
  int written = 0;
  openssl::require(
      in.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()) &&
          EVP_EncryptInit_ex2(state.cipher.get(), nullptr, nullptr, block.data(), nullptr) == 1 &&
          EVP_EncryptUpdate(state.cipher.get(), openssl::data(out), &written, openssl::data(in),
                            static_cast<int>(in.size())) == 1,
      "mask a secret");
}

}  // namespace

void mask_secret(byte_view plaintext, std::span<std::byte> masked) {
  transit& state = current();
  ++state.counter;
  std::ranges::copy(state.process, masked.begin());
  std::memcpy(masked.data() + 8, &state.counter, 8);
  apply(state, masked.subspan(8, 8), plaintext, masked.subspan(transit_overhead));
}

bool unmask_secret(byte_view masked, std::span<std::byte> plaintext) {
  transit& state = current();
  if (masked.size() < transit_overhead || !std::ranges::equal(masked.first(8), state.process)) {
    return false;
  }
  apply(state, masked.subspan(8, 8), masked.subspan(transit_overhead), plaintext);
  return true;
}

}  // namespace vrm
