#pragma once

#include <algorithm>

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

/// A bytea argument of which pieces are read: of a value stored out of line, and not compressed,
/// only the chunks that they lie in.
class sliced_bytea {
 public:
  explicit sliced_bytea(Datum datum) noexcept : datum_(datum) {}

  [[nodiscard]] std::span<const std::byte> all() const {
    return guarded([&] { return datum_traits<std::span<const std::byte>>::from(datum_); });
  }

  /// So many bytes from there on, or as many as there are.
  [[nodiscard]] std::span<const std::byte> slice(std::size_t offset, std::size_t size) const {
    const auto* const value = reinterpret_cast<const struct varlena*>(DatumGetPointer(datum_));
    if (!VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value)) {
      const auto all = std::as_bytes(std::span(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)));
      const std::size_t first = std::min(offset, all.size());
      return all.subspan(first, std::min(size, all.size() - first));
    }
    const auto* const piece = guarded([&] {
      return PG_DETOAST_DATUM_SLICE(datum_, static_cast<int32>(offset), static_cast<int32>(size));
    });
    return std::as_bytes(std::span(VARDATA_ANY(piece), VARSIZE_ANY_EXHDR(piece)));
  }

 private:
  Datum datum_;
};

template <>
struct datum_traits<sliced_bytea> {
  static constexpr Oid oid = BYTEAOID;
  static sliced_bytea from(Datum datum) noexcept { return sliced_bytea(datum); }
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
