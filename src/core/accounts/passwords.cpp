#include "core/accounts/passwords.h"

#include <argon2.h>
#include <crypt.h>

#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "core/platform/base64.h"
#include "core/platform/error.h"
#include "core/platform/openssl.h"
#include "core/platform/random.h"

namespace vrm::passwords {
namespace {

// As RFC 9106 recommends (section 4): a salt of 128 bits, a tag of 256.
constexpr std::size_t salt_size = 16;
constexpr std::size_t digest_size = 32;

/// An Argon2id hash, taken apart.
struct argon2id {
  std::uint32_t memory = memory_kib;
  std::uint32_t passes = passwords::passes;
  std::uint32_t lanes = passwords::lanes;
  std::vector<std::byte> salt;
  std::vector<std::byte> digest;
};

[[noreturn]] void refuse(const char* why) {
  throw error("22023", "the password hash cannot be used")
      .detail(why)
      .hint("Have the password reset: SELECT vrm.request_password_reset('somebody@example.org');");
}

// --- PHC strings: $argon2id$v=19$m=19456,t=2,p=1$salt$digest ------------------------------------

/// Takes "name=number" and the separator after it off the front of `text`.
std::optional<std::uint32_t> take_number(std::string_view& text, std::string_view name, char end) {
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  std::uint32_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto used = static_cast<std::size_t>(read.ptr - text.data());
  if (read.ec != std::errc{} || used >= text.size() || text[used] != end) return std::nullopt;
  text.remove_prefix(used + 1);
  return value;
}

std::vector<std::byte> bytes_in(std::string_view text) {
  const byte_view bytes = bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

/// Nothing for what is not in PHC form; whether the parameters make sense is not looked at.
std::optional<argon2id> read_argon2id(std::string_view text) {
  constexpr std::string_view prefix = "$argon2id$v=19$";
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  const auto memory = take_number(text, "m=", ',');
  const auto time = take_number(text, "t=", ',');
  const auto parallel = take_number(text, "p=", '$');
  const std::size_t middle = text.find('$');
  if (!memory || !time || !parallel || middle == std::string_view::npos) return std::nullopt;
  auto salt = decode_base64(text.substr(0, middle));
  auto digest = decode_base64(text.substr(middle + 1));
  if (!salt || !digest) return std::nullopt;
  return argon2id{.memory = *memory,
                  .passes = *time,
                  .lanes = *parallel,
                  .salt = bytes_in(*salt),
                  .digest = bytes_in(*digest)};
}

/// A stored hash may be an imported one: its parameters are input like any other.
void require_affordable(const argon2id& given) {
  if (given.memory > most_memory_kib || given.passes > most_passes || given.lanes > most_lanes)
    refuse("Argon2 with these parameters would cost too much.");
  // RFC 9106 (3.1) wants 8 KiB for each lane, whose number is bounded above.  Digests that are
  // shorter would be met by chance.
  if (given.passes < 1 || given.lanes < 1 || given.memory < 8 * given.lanes ||
      given.salt.size() < 8 || given.salt.size() > 64 || given.digest.size() < 16 ||
      given.digest.size() > 64)
    refuse("Its parameters are not those of Argon2.");
}

/// One thread whatever the lanes: a backend has no others.
/// Takes `memory` KiB by malloc(), outside of any limit of the server's, and gives it back.
void compute(const argon2id& with, std::string_view password, std::span<std::byte> digest) {
  argon2_context context{};
  context.out = openssl::data(digest);
  context.outlen = static_cast<std::uint32_t>(digest.size());
  context.pwd = reinterpret_cast<std::uint8_t*>(const_cast<char*>(password.data()));
  context.pwdlen = static_cast<std::uint32_t>(password.size());
  context.salt = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(with.salt.data()));
  context.saltlen = static_cast<std::uint32_t>(with.salt.size());
  context.t_cost = with.passes;
  context.m_cost = with.memory;
  context.lanes = with.lanes;
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  // Parameters have been checked: all that can fail is memory.
  if (argon2id_ctx(&context) != ARGON2_OK) throw std::bad_alloc();
}

// --- bcrypt: $2b$10$salt and digest, 60 characters ----------------------------------------------

/// What bcrypt looks at.  crypt_rn() refuses phrases of 512 bytes and more, instead of cutting.
constexpr std::size_t bcrypt_length = 72;

bool is_bcrypt(std::string_view text) noexcept {
  return text.size() == 60 && text.starts_with("$2") &&
         (text[2] == 'a' || text[2] == 'b' || text[2] == 'y') && text[3] == '$' && text[6] == '$';
}

bool matches_bcrypt(std::string_view stored, std::string_view password) {
  int cost = 0;
  const auto read = std::from_chars(stored.data() + 4, stored.data() + 6, cost);
  if (read.ec != std::errc{} || cost < 4) refuse("Its parameters are not those of bcrypt.");
  if (cost > most_bcrypt_cost) refuse("bcrypt of this cost would take too long.");
  // As a C string it would end there, and its beginning would be the password.
  if (password.find('\0') != std::string_view::npos) return false;

  // Some 32 kB: on the heap rather than on the stack.
  const auto data = std::make_unique<crypt_data>();
  std::string phrase(password);
  const std::string setting(stored);
  // The stored hash is its own setting: crypt reads version, cost and salt in front of the digest.
  const char* const made = crypt_rn(phrase.c_str(), setting.c_str(), data.get(), sizeof(*data));
  const bool same = made != nullptr && std::strlen(made) == stored.size() &&
                    openssl::equal_in_constant_time(std::as_bytes(std::span(made, stored.size())),
                                                    std::as_bytes(std::span(stored)));
  openssl::wipe(std::as_writable_bytes(std::span(phrase)));
  openssl::wipe(std::as_writable_bytes(std::span(data.get(), 1)));
  return same;
}

}  // namespace

std::string hash(std::string_view password) {
  if (password.size() > longest_password) {
    throw error("22023", "the password is too long")
        .detail("It may have " + std::to_string(longest_password) + " bytes.")
        .hint("Choose a shorter one.");
  }
  argon2id made{.salt = std::vector<std::byte>(salt_size),
                .digest = std::vector<std::byte>(digest_size)};
  random_bytes(made.salt);
  compute(made, password, made.digest);
  return "$argon2id$v=19$m=" + std::to_string(made.memory) + ",t=" + std::to_string(made.passes) +
         ",p=" + std::to_string(made.lanes) + "$" + encode_base64(made.salt) + "$" +
         encode_base64(made.digest);
}

bool matches(std::string_view stored, std::string_view password) {
  // Cut to what bcrypt itself heeds; those who made these hashes did the same.
  if (is_bcrypt(stored)) return matches_bcrypt(stored, password.substr(0, bcrypt_length));
  const auto given = read_argon2id(stored);
  if (!given) refuse("It is neither Argon2id nor bcrypt.");
  require_affordable(*given);
  if (password.size() > longest_password) return false;
  std::vector<std::byte> digest(given->digest.size());
  compute(*given, password, digest);
  return openssl::equal_in_constant_time(digest, given->digest);
}

bool is_outdated(std::string_view stored) noexcept {
  try {
    const auto given = read_argon2id(stored);
    // bcrypt is not read here, hence outdated, and so is whatever costs more or less than new ones.
    return !given || given->memory != memory_kib || given->passes != passes ||
           given->lanes != lanes;
  } catch (...) {
    return false;  // no memory to look at it: another time
  }
}

}  // namespace vrm::passwords
