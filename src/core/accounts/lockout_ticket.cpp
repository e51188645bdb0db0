#include "core/accounts/lockout_ticket.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/platform/base64.h"

namespace vrm::lockout {
namespace {

constexpr std::size_t device_size = 16;

/// What a ticket looks like on its way; the MAC follows.
/// Holes are spelled out as `unused`: the MAC covers every byte, so none may be left to chance.
struct wire {
  std::uint8_t version = 1;
  kind type = kind::password;
  std::uint8_t has_network = 0;
  std::array<std::uint8_t, 5> unused{};
  moment began = 0;
  key first{};
  key network{};
};
static_assert(sizeof(wire) == 48);

}  // namespace

kind kind_named(std::string_view name) {
  const auto* const found = std::ranges::find(kind_names, name);
  // The empty name is in the list only to keep the place of 0, which is no kind.
  if (found == kind_names.end() || name.empty()) {
    throw error("22023", "unknown kind of attempt \"" + std::string(name) + "\"")
        .hint("SELECT kind FROM vrm.lockout_policy;");
  }
  return static_cast<kind>(found - kind_names.begin());
}

// The label says what the hash is for, and NUL ends it: no message of one kind passes for another.
mac keyed_hash::hash(std::string_view label, byte_view message) {
  const sha256 full = hash_.of({bytes_of(label), bytes_of(std::string_view("\0", 1)), message});
  mac cut{};
  std::ranges::copy_n(full.begin(), cut.size(), cut.begin());
  return cut;
}

key keyed_hash::key_of(kind type, std::string_view identifier) {
  return hash(std::string("vrm/lockout/v1/").append(name(type)), bytes_of(identifier));
}

std::string keyed_hash::write(const ticket& given) {
  const wire body{.type = given.type,
                  .has_network = static_cast<std::uint8_t>(given.network ? 1 : 0),
                  .began = given.began,
                  .first = given.first,
                  .network = given.network.value_or(key{})};
  const auto bytes = std::as_bytes(std::span(&body, 1));
  const mac proof = hash("vrm/ticket/v1", bytes);
  return std::string(text_of(bytes)).append(text_of(proof));
}

ticket keyed_hash::read(byte_view text) {
  wire body;
  if (text.size() == sizeof body + sizeof(mac)) {
    std::memcpy(&body, text.data(), sizeof body);
    const mac proof = hash("vrm/ticket/v1", text.first(sizeof body));
    // Until the MAC has been compared, the text is anybody's.
    if (openssl::equal_in_constant_time(proof, text.subspan(sizeof body)) && body.version == 1) {
      return {.type = body.type,
              .began = body.began,
              .first = body.first,
              .network = body.has_network != 0 ? std::optional(body.network) : std::nullopt};
    }
  }
  throw error("22023", "the ticket is not valid")
      .detail("It was not made by vrm.begin_attempt() in this database.");
}

// The cluster is part of it, because a copy of the database has the same secret.
mac keyed_hash::proof_of(std::string_view device, std::string_view identifier,
                         std::uint64_t cluster) {
  // Of fixed length, both before the identifier: no other triple gives the same message.
  std::string message(device);
  for (int shift = 56; shift >= 0; shift -= 8)
    message +=
        static_cast<char>(static_cast<unsigned char>(cluster >> static_cast<unsigned>(shift)));
  return hash("vrm/device/v2", bytes_of(message.append(identifier)));
}

std::string keyed_hash::device_token(byte_view device, std::string_view identifier,
                                     std::uint64_t cluster) {
  std::string text(text_of(device.first(device_size)));
  const mac proof = proof_of(text, identifier, cluster);
  return encode_base64url(text.append(text_of(proof)));
}

std::optional<std::string> keyed_hash::device_of(std::string_view token,
                                                 std::string_view identifier,
                                                 std::uint64_t cluster) {
  const auto decoded = decode_base64url(token);
  if (!decoded || decoded->size() != device_size + sizeof(mac)) return std::nullopt;
  std::string device = decoded->substr(0, device_size);
  const mac proof = proof_of(device, identifier, cluster);
  if (!openssl::equal_in_constant_time(proof, bytes_of(*decoded).subspan(device_size)))
    return std::nullopt;
  return device;
}

}  // namespace vrm::lockout
