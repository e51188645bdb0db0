#pragma once

#include <span>

#include "boundary/value/datum.h"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
}

namespace pg {

/// An array argument whose elements are of fixed size, as it lies in memory; null elements are
/// refused.
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

}  // namespace pg
