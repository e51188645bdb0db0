// Master keys, wrapped keys and the blind index.
#include "core/secrets/keyring.h"

#include <openssl/core_names.h>

#include <algorithm>

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

std::string wrapping_context(const master_key& master, std::string_view purpose,
                             std::int64_t key_id) {
  std::string context = "vrm/keyring/v1";
  for (int shift = 56; shift >= 0; shift -= 8) {
    context.push_back(static_cast<char>(key_id >> shift & 0xFF));
  }
  return context.append(purpose).append(1, '\0').append(master.id);
}

}  // namespace

std::optional<secret_key> decode_key(std::string_view base64) {
  constexpr std::size_t encoded_size = 44;
  std::array<unsigned char, encoded_size / 4 * 3> decoded{};
  if (base64.size() != encoded_size || base64[42] == '=' || base64[43] != '=') return std::nullopt;
  const bool valid =
      EVP_DecodeBlock(decoded.data(), reinterpret_cast<const unsigned char*>(base64.data()),
                      encoded_size) == static_cast<int>(decoded.size());
  std::optional<secret_key> key;
  if (valid) key.emplace(std::as_bytes(std::span(decoded)).first(key_size));
  openssl::wipe(std::as_writable_bytes(std::span(decoded)));
  return key;
}

std::vector<master_key> read_master_keys(std::string_view text) {
  std::vector<master_key> keys;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;

    const std::string_view id = line.substr(0, line.find(':'));
    if (id.size() == line.size()) refuse_line(number, "has no colon");
    if (id.empty() || id.size() > longest_id || !std::ranges::all_of(id, is_id_character)) {
      refuse_line(number, "has no valid id of 1 to 64 letters, digits, '-', '_' or '.'");
    }
    const auto same = [&](const master_key& other) { return other.id == id; };
    if (std::ranges::any_of(keys, same)) refuse_line(number, "repeats the id of a line above it");
    const auto key = decode_key(line.substr(id.size() + 1));
    if (!key) refuse_line(number, "has no 32 bytes in base64 after the colon");
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
  if (!authentic || key_id_of(key) != key_id) return std::nullopt;
  return key;
}

blind_indexer::blind_indexer(byte_view key) {
  static const openssl::mac hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  openssl::require(hmac != nullptr, "find HMAC");
  context_.reset(EVP_MAC_CTX_new(hmac.get()));
  std::array<char, 7> name = {"SHA256"};
  const std::array params = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
      OSSL_PARAM_construct_end()};
  openssl::require(context_ != nullptr && EVP_MAC_init(context_.get(), openssl::data(key),
                                                       key.size(), params.data()) == 1,
                   "set up HMAC");
}

std::int64_t blind_indexer::index(byte_view column, std::string_view value) {
  std::array<unsigned char, 32> hash{};
  openssl::require(
      EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1 &&
          EVP_MAC_update(context_.get(), openssl::data(column), column.size()) == 1 &&
          EVP_MAC_update(context_.get(), openssl::data(std::as_bytes(std::span(value))),
                         value.size()) == 1 &&
          EVP_MAC_final(context_.get(), hash.data(), nullptr, hash.size()) == 1,
      "compute a blind index");
  std::uint64_t index = 0;
  for (std::size_t i = 0; i < 8; ++i) index = index << 8 | hash[i];
  return static_cast<std::int64_t>(index);
}

}  // namespace vrm
