// Master keys, wrapped keys and the blind index.
#include "core/secrets/keyring.h"

#include <algorithm>

#include "core/platform/base64.h"
#include "core/platform/big_endian.h"
#include "core/platform/random.h"

namespace vrm {
namespace {

constexpr std::size_t longest_id = 64;

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

[[noreturn]] void refuse_line(std::size_t number, const std::string& why) {
  throw error("F0000", "the master keys cannot be read")
      .detail("Line " + std::to_string(number) + " " + why + ".")
      .hint("A line reads ID:KEY. Make one with: echo \"$(date +%F):$(openssl rand -base64 32)\"");
}

// What a wrapped key is authenticated with: a row of the keyring that is moved, or given another
// purpose or id, does not open.
std::string wrapping_context(const master_key& master, std::string_view purpose,
                             std::int64_t key_id) {
  std::string context = "vrm/keyring/v1";
  context.append(text_of(to_big_endian(static_cast<std::uint64_t>(key_id))));
  return context.append(purpose).append(1, '\0').append(master.id);
}

}  // namespace

std::optional<secret_key> decode_key(std::string_view base64) {
  // As `openssl rand -base64 32` prints 32 bytes, with padding.
  if (base64.size() != 44 || base64.back() != '=') return std::nullopt;
  auto decoded = decode_base64(base64.substr(0, 43));
  if (!decoded) return std::nullopt;
  std::optional<secret_key> key;
  if (decoded->size() == key_size) key.emplace(bytes_of(*decoded));
  // std::string would give its memory back with the key still in it.
  openssl::wipe(std::as_writable_bytes(std::span(*decoded)));
  return key;
}

std::vector<master_key> read_master_keys(std::string_view text) {
  std::vector<master_key> keys;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    // Line ends of other systems, and blanks that nobody sees.
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;

    const std::string_view id = line.substr(0, line.find(':'));
    if (id.size() == line.size()) refuse_line(number, "has no colon");
    if (id.empty() || id.size() > longest_id || !std::ranges::all_of(id, is_id_character)) {
      refuse_line(number, "has no valid id of 1 to 64 letters, digits, '-', '_' or '.'");
    }
    // What is wrapped names its master key by this id.
    const auto same = [&](const master_key& other) { return other.id == id; };
    if (std::ranges::any_of(keys, same)) refuse_line(number, "repeats the id of a line above it");
    const auto key = decode_key(line.substr(id.size() + 1));
    if (!key) refuse_line(number, "does not have 32 bytes in base64 after the colon");
    keys.push_back({std::string(id), *key});
  }
  if (keys.empty()) {
    throw error("F0000", "the master keys cannot be read")
        .detail("There is no key.")
        .hint(
            "A line reads ID:KEY. Make one with: echo \"$(date +%F):$(openssl rand -base64 32)\"");
  }
  return keys;
}

wrapped_key wrap_key(const master_key& master, std::string_view purpose, const secret_key& key) {
  wrapped_key wrapped{};
  const auto nonce = std::span(wrapped).first(24);
  // XAES has room for nonces drawn at random, so nobody has to count them.
  random_bytes(nonce);
  const std::string context = wrapping_context(master, purpose, key_id_of(key));
  data_key(master.key)
      .encrypt(nonce, std::as_bytes(std::span(context)), key.bytes(),
               std::span(wrapped).subspan(nonce.size()));
  return wrapped;
}

std::optional<secret_key> unwrap_key(const master_key& master, std::string_view purpose,
                                     std::int64_t key_id, byte_view wrapped) {
  if (wrapped.size() != wrapped_key_size) return std::nullopt;
  secret_key key;
  const std::string context = wrapping_context(master, purpose, key_id);
  const bool authentic = data_key(master.key)
                             .decrypt(wrapped.first(24), std::as_bytes(std::span(context)),
                                      wrapped.subspan(24), key.bytes());
  // The id follows from the key, so that even who has the master key cannot pass one off for
  // another.
  if (!authentic || key_id_of(key) != key_id) return std::nullopt;
  return key;
}

std::int64_t blind_indexer::index(byte_view column, std::string_view value) {
  const sha256 hash = hash_.of({column, bytes_of(value)});
  const std::uint64_t index = from_big_endian(hash);
  return static_cast<std::int64_t>(index);
}

}  // namespace vrm
