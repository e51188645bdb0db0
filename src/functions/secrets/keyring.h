#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/platform/uuid.h"
#include "core/secrets/data_key.h"
#include "core/secrets/keyring.h"

/// The keyring of this database: other topics seal and open values through these calls, without
/// privileges of the caller's.
namespace vrm::sql::keyring {

/// What a value is bound to: it opens with the same binding, context and subject only.
struct binding_of {
  vrm::binding bound = vrm::binding::none;
  vrm::byte_view context;              ///< empty for binding::none
  const vrm::uuid* subject = nullptr;  ///< whose key; nullptr for the data key itself
};

/// Size of the envelope for a plaintext of `size` bytes.
[[nodiscard]] constexpr std::size_t sealed_size(std::size_t size) noexcept {
  return size + vrm::envelope_overhead(vrm::algorithm::xaes_256_gcm);
}

/// Seals `plaintext` under the active data key into `envelope` of sealed_size() bytes.
/// SQLSTATE 55000 without an active key, F0000 without the master key.
void seal(const binding_of& binding, vrm::byte_view plaintext, std::span<std::byte> envelope);

/// Size of what is in `envelope`; SQLSTATE 22000 when that is not an envelope.
[[nodiscard]] std::size_t opened_size(vrm::byte_view envelope);

/// Opens `envelope` into `plaintext` of opened_size() bytes.  Whatever is wrong with the value, the
/// error is SQLSTATE 22000 "value cannot be opened".
void open(const binding_of& binding, vrm::byte_view envelope, std::span<std::byte> plaintext);

/// The same as a question; `plaintext` is wiped when the answer is no.
[[nodiscard]] bool try_open(const binding_of& binding, vrm::byte_view envelope,
                            std::span<std::byte> plaintext);

/// Id of the key that seal() uses now.
[[nodiscard]] std::int64_t active_key_id();

[[noreturn]] void throw_cannot_be_opened();

/// Blind index of a value under the active key of that purpose, and under every key of it that
/// rows may still have been indexed with.
[[nodiscard]] std::int64_t blind_index(const vrm::uuid& column, std::string_view value);
[[nodiscard]] std::vector<std::int64_t> blind_probe(const vrm::uuid& column,
                                                    std::string_view value);

/// The key that a row of the keyring holds; SQLSTATE F0000 without the master key it names.
[[nodiscard]] vrm::secret_key unwrap(const std::vector<vrm::master_key>& masters,
                                     std::int64_t key_id, std::string_view purpose,
                                     std::string_view master_id, vrm::byte_view wrapped);

/// Unwraps every key that is not destroyed, with the master keys as they are now; SQLSTATE F0000
/// when one does not open.
void require_master_keys();

/// The master keys from where the settings say, newest first.
[[nodiscard]] std::vector<vrm::master_key> master_keys();

}  // namespace vrm::sql::keyring
