#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/accounts/lockout.h"
#include "core/platform/digest.h"

/// What is counted apart from what, and the proofs that callers carry from one call to the next.
namespace vrm::lockout {

/// What an attempt is made at.  Numbers are in keys and tickets: append, never renumber.
/// 0 is left out, so that memory of zeros is no ticket.
enum class kind : std::uint8_t {
  password = 1,
  device = 2,  ///< a password from a device that has signed in before
  totp = 3,
  recovery = 4,
  reset_request = 5,
  ip = 6,
  session = 7,     ///< refresh tokens: the value is the counter
  request_ip = 8,  ///< what one network asks for: mails
  sign_up = 9,
};

/// By number; 0 is no kind.
inline constexpr std::array<std::string_view, 10> kind_names = {
    "",   "password", "device",     "totp",   "recovery", "reset_request",
    "ip", "session",  "request_ip", "sign_up"};

/// Where what is counted: each tree has a budget of its own, so what is cheap to fill crowds out
/// nothing that is dear.
enum class tree : std::uint8_t {
  attempts,  ///< each entry has cost a look at a secret
  requests,  ///< what anybody makes for nothing: small, and quick to forget
  sessions,  ///< refresh counters and ends of sessions
  used,      ///< codes and tokens that are good once
};

/// Of the tables in vrm_private, by tree.
inline constexpr std::array<const char*, 4> tree_names = {"lockout", "lockout_requests",
                                                          "lockout_sessions", "lockout_used"};

/// Where attempts of the kind are counted.  Values that are good once are in `used`, whatever kind.
[[nodiscard]] constexpr tree tree_of(kind type) noexcept {
  switch (type) {
    case kind::reset_request:
    case kind::sign_up:
    case kind::ip:
    case kind::request_ip:
      return tree::requests;
    case kind::session:
      return tree::sessions;
    default:
      return tree::attempts;
  }
}

/// As what the network of an attempt is counted: who asks for mails does not spoil sign-ins.
[[nodiscard]] constexpr kind network_of(kind type) noexcept {
  return type == kind::reset_request || type == kind::sign_up ? kind::request_ip : kind::ip;
}

[[nodiscard]] constexpr std::string_view name(kind value) noexcept {
  return kind_names[static_cast<std::size_t>(value)];
}
/// Throws 22023 for an unknown name.
[[nodiscard]] kind kind_named(std::string_view name);

/// One reservation, or two: the second counts what comes from one network.
struct ticket {
  kind type = kind::password;
  moment began = never;
  key first{};
  std::optional<key> network = std::nullopt;
};

/// 128 bits: enough where each guess is a call that is looked at.
using mac = std::array<std::byte, 16>;

/// Keyed hashes under the secret of one database.
///
/// Whoever has the secret can make tickets and device tokens and find out who is locked.
class keyed_hash {
 public:
  /// `secret` is taken in by OpenSSL: it may be wiped afterwards.
  explicit keyed_hash(byte_view secret) : hash_(secret) {}

  /// Where failures of `identifier` are counted.
  [[nodiscard]] key key_of(kind type, std::string_view identifier);

  /// A ticket that nobody else can make.
  [[nodiscard]] std::string write(const ticket& given);
  /// Throws 22023 for what write() has not made.
  [[nodiscard]] ticket read(byte_view text);

  /// A token for the device with that id, good for one identifier in one cluster.
  [[nodiscard]] std::string device_token(byte_view device, std::string_view identifier,
                                         std::uint64_t cluster);
  /// The device's id when the token is for this identifier and this cluster.
  [[nodiscard]] std::optional<std::string> device_of(std::string_view token,
                                                     std::string_view identifier,
                                                     std::uint64_t cluster);

  /// HMAC-SHA-256 of `label`, a NUL and `message`, cut to 16 bytes.
  /// Labels have a version, so that a later one can change what is hashed.
  [[nodiscard]] mac hash(std::string_view label, byte_view message);

 private:
  [[nodiscard]] mac proof_of(std::string_view device, std::string_view identifier,
                             std::uint64_t cluster);

  hmac_sha256 hash_;
};

}  // namespace vrm::lockout
