#pragma once

#include "boundary/value/datum.h"

namespace pg {

/// A text or bytea result that C++ fills in place.
template <Oid Type>
class varlena_result {
 public:
  /// Not initialized; std::length_error, SQLSTATE 54000, beyond 1 GB.
  explicit varlena_result(std::size_t size) {
    if (size > MaxAllocSize - VARHDRSZ) throw std::length_error("value exceeds the 1 GB limit");
    value_ = static_cast<struct varlena*>(allocate(VARHDRSZ + size));
    SET_VARSIZE(value_, VARHDRSZ + size);
  }

  /// Takes over a value that nobody else uses any more, to hold the first `size` of its bytes.
  /// It has been detoasted, so its header is one of four bytes; it has room for `size`.
  varlena_result(struct varlena* value, std::size_t size) noexcept : value_(value) {
    SET_VARSIZE(value_, VARHDRSZ + size);
  }

  [[nodiscard]] std::span<std::byte> bytes() const noexcept {
    return std::as_writable_bytes(std::span(VARDATA(value_), VARSIZE(value_) - VARHDRSZ));
  }
  [[nodiscard]] Datum datum() const noexcept { return PointerGetDatum(value_); }

 private:
  struct varlena* value_;
};

using bytea_result = varlena_result<BYTEAOID>;
using text_result = varlena_result<TEXTOID>;

template <Oid Type>
struct datum_traits<varlena_result<Type>> {
  static constexpr Oid oid = Type;
  static Datum to(const varlena_result<Type>& value) noexcept { return value.datum(); }
};

}  // namespace pg
