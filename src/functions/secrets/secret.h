#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "boundary/value/varlena.h"
#include "core/platform/openssl.h"
#include "core/secrets/transit.h"
#include "functions/secrets/keyring.h"

/// The type vrm.secret: plaintext on its way into a function.
namespace vrm::sql {

/// An argument of type vrm.secret, still masked.
struct secret {
  vrm::byte_view masked;  ///< of this process: others cannot unmask it

  /// Of the plaintext; 0 for what is too short to have been masked, which unmasked() refuses.
  [[nodiscard]] std::size_t size() const noexcept {
    return masked.size() < vrm::transit_overhead ? 0 : masked.size() - vrm::transit_overhead;
  }
};

/// The plaintext of a secret, wiped when it goes.
class unmasked {
 public:
  /// Throws 22000 for what another session has masked.
  explicit unmasked(const secret& secret);
  ~unmasked() { vrm::openssl::wipe(bytes_); }
  unmasked(const unmasked&) = delete;
  unmasked& operator=(const unmasked&) = delete;

  [[nodiscard]] vrm::byte_view bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

 private:
  std::array<std::byte, 256> small_;  ///< spares most secrets the heap
  std::unique_ptr<std::byte[]> large_;
  std::span<std::byte> bytes_;
};

/// A result of type vrm.secret.
struct secret_result {
  pg::bytea_result masked;
};

/// Opens a value that is text.
[[nodiscard]] pg::text_result revealed(const keyring::binding_of& binding, vrm::byte_view value);

}  // namespace vrm::sql

namespace pg {

template <>
struct datum_traits<vrm::sql::secret> {
  static constexpr Oid oid = InvalidOid;  // the extension's own: its OID differs between databases
  static vrm::sql::secret from(Datum datum) {
    return {datum_traits<std::span<const std::byte>>::from(datum)};
  }
};

template <>
struct datum_traits<vrm::sql::secret_result> {
  static constexpr Oid oid = InvalidOid;
  static Datum to(const vrm::sql::secret_result& value) noexcept { return value.masked.datum(); }
};

}  // namespace pg
