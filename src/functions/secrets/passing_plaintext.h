#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "boundary/value/varlena.h"
#include "core/platform/openssl.h"
#include "core/secrets/data_key.h"
#include "core/secrets/envelope.h"
#include "functions/secrets/keyring.h"

namespace vrm::sql {

/// Plaintext on its way from one envelope to another.
class passing_plaintext {
 public:
  /// Throws 22000 when `envelope` is none.
  explicit passing_plaintext(byte_view envelope) {  // NOLINT(*-member-init): small_ is costly
    const std::size_t size = keyring::opened_size(envelope);
    if (size > small_.size()) large_.resize(size);
    bytes_ = size > small_.size() ? std::span(large_) : std::span(small_).first(size);
  }
  ~passing_plaintext() { vrm::openssl::wipe(bytes_); }
  passing_plaintext(const passing_plaintext&) = delete;
  passing_plaintext& operator=(const passing_plaintext&) = delete;

  [[nodiscard]] byte_view bytes() const noexcept { return bytes_; }
  /// Throws 22000 where it does not open.
  void open(const keyring::binding_of& binding, byte_view envelope) {
    keyring::open(binding, envelope, bytes_);
  }
  /// Whether it opens here; only then bytes() are the plaintext.
  [[nodiscard]] bool opened(const keyring::binding_of& binding, byte_view envelope) {
    return keyring::try_open(binding, envelope, bytes_);
  }
  [[nodiscard]] bool opened(vrm::data_key& key, const vrm::envelope_header& header,
                            byte_view context, byte_view envelope) {
    return key.open(header, context, envelope, bytes_);
  }
  /// Under the active key; in the current memory context.
  [[nodiscard]] Datum sealed(const keyring::binding_of& binding) const {
    const pg::bytea_result envelope(keyring::sealed_size(bytes_.size()));
    keyring::seal(binding, bytes_, envelope.bytes());
    return envelope.datum();
  }

 private:
  // On the stack, since most secrets are short; not initialized, as opening fills it.
  std::array<std::byte, 256> small_;
  std::vector<std::byte> large_;
  std::span<std::byte> bytes_;
};

}  // namespace vrm::sql
