// The masked form: 8 bytes that name the process, 8 bytes of a counter, then text XOR keystream.
#include "core/secrets/transit.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "core/platform/openssl.h"
#include "core/platform/random.h"
#include "core/secrets/data_key.h"

namespace vrm {
namespace {

constexpr std::size_t short_text = 512;

struct transit {
  std::uint32_t made_in = 0;  ///< fork generation; a child makes its own
  std::array<std::byte, 8> process{};
  std::uint64_t counter = 0;
  openssl::cipher_context stream;  ///< AES-256-CTR
  openssl::cipher_context block;   ///< AES-256 of single blocks, under the same key
};

openssl::cipher_context start(const char* name, const secret_key& key) {
  const openssl::cipher cipher(EVP_CIPHER_fetch(nullptr, name, nullptr));
  openssl::cipher_context context(EVP_CIPHER_CTX_new());
  openssl::require(cipher != nullptr && context != nullptr &&
                       EVP_EncryptInit_ex2(context.get(), cipher.get(), openssl::data(key.bytes()),
                                           nullptr, nullptr) == 1,
                   "set up a cipher");
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  return context;
}

transit& current() {
  static transit state;
  // A child of fork() would go on with the parent's counter under the parent's key.
  if (state.made_in != fork_generation()) [[unlikely]] {
    const secret_key key = secret_key::random();
    state.stream = start("AES-256-CTR", key);
    state.block = start("AES-256-ECB", key);
    random_bytes(state.process);
    state.made_in = fork_generation();
  }
  return state;
}

/// Eight bytes at a time, which compilers do not make of a loop over bytes.
void exclusive_or(byte_view in, const std::byte* keystream, std::span<std::byte> out) {
  std::size_t i = 0;
  for (; i + 8 <= in.size(); i += 8) {
    std::uint64_t word = 0;
    std::uint64_t key = 0;
    std::memcpy(&word, &in[i], 8);
    std::memcpy(&key, &keystream[i], 8);
    word ^= key;
    std::memcpy(&out[i], &word, 8);
  }
  for (; i < in.size(); ++i) out[i] = in[i] ^ keystream[i];
}

/// Setting up a stream costs five times what the blocks of a password do, so these come by hand:
/// the counter mode of NIST SP 800-38A with fewer than 256 blocks.
bool apply_blocks(transit& state, byte_view counter, byte_view in, std::span<std::byte> out) {
  std::array<std::byte, short_text> keystream;  // NOLINT(*-member-init): zeros would be overwritten
  const std::size_t blocks = (in.size() + 15) / 16;
  for (std::size_t i = 0; i < blocks; ++i) {
    std::memcpy(&keystream[16 * i], counter.data(), counter.size());
    std::memset(&keystream[16 * i + 8], 0, 7);
    // The number of the block in the last byte, as counter mode counts; 32 blocks fit.
    keystream[16 * i + 15] = static_cast<std::byte>(i);
  }
  auto* const bytes = reinterpret_cast<unsigned char*>(keystream.data());
  int written = 0;
  if (EVP_EncryptUpdate(state.block.get(), bytes, &written, bytes, static_cast<int>(16 * blocks)) !=
      1) {
    return false;
  }
  exclusive_or(in, keystream.data(), out);
  openssl::wipe(std::span(keystream).first(16 * blocks));
  return true;
}

bool apply_stream(transit& state, byte_view counter, byte_view in, std::span<std::byte> out) {
  std::array<unsigned char, 16> block{};
  std::memcpy(block.data(), counter.data(), counter.size());
  int written = 0;
  return in.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()) &&
         EVP_EncryptInit_ex2(state.stream.get(), nullptr, nullptr, block.data(), nullptr) == 1 &&
         EVP_EncryptUpdate(state.stream.get(), openssl::data(out), &written, openssl::data(in),
                           static_cast<int>(in.size())) == 1;
}

/// XORs `in` with the keystream of `counter`.
void apply(transit& state, byte_view counter, byte_view in, std::span<std::byte> out) {
  openssl::require(in.size() <= short_text ? apply_blocks(state, counter, in, out)
                                           : apply_stream(state, counter, in, out),
                   "mask a secret");
}

}  // namespace

void mask_secret(byte_view plaintext, std::span<std::byte> masked) {
  transit& state = current();
  // Never twice under one key: two texts under one keystream would give each other away.
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
