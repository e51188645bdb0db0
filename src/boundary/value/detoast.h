#pragma once

#include "boundary/value/datum.h"

extern "C" {
#include "access/detoast.h"
}

namespace pg {

/// The first `Size` bytes of a bytea argument and its whole size: a value stored out of line and
/// uncompressed, as ciphertext is, costs one TOAST chunk however large it is.
template <std::size_t Size>
struct bytea_head {
  std::span<const std::byte> bytes;  ///< shorter when the value is
  std::size_t total_size = 0;
};

template <std::size_t Size>
struct datum_traits<bytea_head<Size>> {
  static constexpr Oid oid = BYTEAOID;
  static bytea_head<Size> from(Datum datum) {
    const auto* slice = PG_DETOAST_DATUM_SLICE(datum, 0, static_cast<int32>(Size));
    return {std::as_bytes(std::span(VARDATA_ANY(slice), VARSIZE_ANY_EXHDR(slice))),
            toast_raw_datum_size(datum) - VARHDRSZ};
  }
};

/// A bytea argument that may be worked on in place when it had to be fetched or decompressed.
class detoasted_bytea {
 public:
  /// May raise an ERROR while detoasting.
  explicit detoasted_bytea(Datum datum)
      : value_(PG_DETOAST_DATUM_PACKED(datum)), is_copy_(PointerGetDatum(value_) != datum) {}

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return std::as_bytes(std::span(VARDATA_ANY(value_), VARSIZE_ANY_EXHDR(value_)));
  }
  /// Whether nobody but this call has the value, which may be worked on then.
  [[nodiscard]] bool is_copy() const noexcept { return is_copy_; }
  [[nodiscard]] struct varlena* value() const noexcept { return value_; }

 private:
  struct varlena* value_;
  bool is_copy_;
};

template <>
struct datum_traits<detoasted_bytea> {
  static constexpr Oid oid = BYTEAOID;
  static detoasted_bytea from(Datum datum) { return detoasted_bytea(datum); }
};

}  // namespace pg
