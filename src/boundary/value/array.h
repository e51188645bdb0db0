#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "boundary/value/datum.h"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
}

namespace pg {

/// An array argument whose elements are of fixed size, as it lies in memory; null elements are
/// refused.
/// Unpacked, so that elements are aligned; those of several dimensions come one row after another.
template <typename T, Oid Type>
struct array_view {
  ArrayType* array;

  [[nodiscard]] std::span<const T> elements() const noexcept {
    const auto count = static_cast<std::size_t>(ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)));
    return {reinterpret_cast<const T*>(ARR_DATA_PTR(array)), count};
  }
};

using float8_array = array_view<double, FLOAT8ARRAYOID>;
using relation_array = array_view<Oid, REGCLASSARRAYOID>;

template <typename T, Oid Type>
struct datum_traits<array_view<T, Type>> {
  static constexpr Oid oid = Type;
  static array_view<T, Type> from(Datum datum) {
    auto* const array = DatumGetArrayTypeP(datum);
    if (array_contains_nulls(array)) throw_null_argument();
    return {array};
  }
};

/// An array of uuids that is handed on as it is.
struct uuid_array {
  ArrayType* array;
};

template <>
struct datum_traits<uuid_array> {
  static constexpr Oid oid = UUIDARRAYOID;
  static uuid_array from(Datum datum) { return {DatumGetArrayTypeP(datum)}; }
  static Datum to(uuid_array value) noexcept { return PointerGetDatum(value.array); }
};

/// Makes an array of one dimension whose elements may be null.
/// `size` is the most elements that it takes: add() does not look.  Arrays live in the context
/// that is current then.
class array_builder {
 public:
  array_builder(Oid element, std::size_t size)
      : element_(element),
        values_(static_cast<Datum*>(allocate((size + 1) * sizeof(Datum)))),
        nulls_(static_cast<bool*>(allocate(size + 1))) {}

  /// What `value` points to is looked at again by finish().
  void add(Datum value, bool null) noexcept {
    values_[count_] = value;
    nulls_[count_++] = null;
  }

  [[nodiscard]] Datum finish() const {
    return guarded([this] {
      std::int16_t length = 0;
      bool by_value = false;
      char alignment = '\0';
      get_typlenbyvalalign(element_, &length, &by_value, &alignment);
      int count = count_;
      int lowest = 1;
      return PointerGetDatum(construct_md_array(values_, nulls_, 1, &count, &lowest, element_,
                                                length, by_value, alignment));
    });
  }

 private:
  Oid element_;
  Datum* values_;
  bool* nulls_;
  int count_ = 0;
};

}  // namespace pg
