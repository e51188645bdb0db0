#pragma once

#include <span>

#include "pg/datum.h"

extern "C" {
#include "utils/array.h"
}

namespace pg {

/// A float8[] argument, as it lies in memory; null elements are refused.
struct float8_array {
  ArrayType* array;

  [[nodiscard]] std::span<const double> elements() const noexcept {
    const auto count = static_cast<std::size_t>(ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)));
    return {reinterpret_cast<const double*>(ARR_DATA_PTR(array)), count};
  }
};

template <>
struct datum_traits<float8_array> {
  static constexpr Oid oid = FLOAT8ARRAYOID;
  static float8_array from(Datum datum) {
    auto* const array = DatumGetArrayTypeP(datum);
    if (array_contains_nulls(array)) throw_null_argument();
    return {array};
  }
};

}  // namespace pg
