#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "boundary/value/datum.h"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
}

namespace pg {

/// An array argument whose elements may be null, of any number of dimensions.
template <typename T, Oid Type>
struct nullable_array {
  ArrayType* array;

  [[nodiscard]] std::span<const int> dimensions() const noexcept {
    return {ARR_DIMS(array), static_cast<std::size_t>(ARR_NDIM(array))};
  }

  /// In the order in which they lie, rows one after the other; views look into the array.
  [[nodiscard]] std::vector<std::optional<T>> elements() const {
    struct {
      Datum* values;
      bool* nulls;
      int count;
    } found{};
    guarded([&] {
      std::int16_t length = 0;
      bool by_value = false;
      char alignment = '\0';
      // By the array's own element type, which for a domain is the type below it.
      get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &alignment);
      deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, alignment, &found.values,
                        &found.nulls, &found.count);
    });
    std::vector<std::optional<T>> elements;
    elements.reserve(static_cast<std::size_t>(found.count));
    for (int i = 0; i < found.count; ++i) {
      if (found.nulls[i]) {
        elements.emplace_back();
      } else {
        // Each for itself: a vector lives meanwhile, so no jump may leave this frame.
        elements.emplace_back(guarded([&] { return datum_traits<T>::from(found.values[i]); }));
      }
    }
    return elements;
  }
};

using nullable_float8_array = nullable_array<double, FLOAT8ARRAYOID>;
using nullable_text_array = nullable_array<std::string_view, TEXTARRAYOID>;

template <typename T, Oid Type>
struct datum_traits<nullable_array<T, Type>> {
  static constexpr Oid oid = Type;
  static nullable_array<T, Type> from(Datum datum) { return {DatumGetArrayTypeP(datum)}; }
};

/// A double precision[] result.
struct float8_elements {
  std::vector<double> elements;
};

template <>
struct datum_traits<float8_elements> {
  static constexpr Oid oid = FLOAT8ARRAYOID;
  static Datum to(const float8_elements& value) {
    return guarded([&] {
      const std::size_t count = value.elements.size();
      auto* const datums = static_cast<Datum*>(palloc(count * sizeof(Datum)));
      for (std::size_t i = 0; i < count; ++i) datums[i] = Float8GetDatum(value.elements[i]);
      return PointerGetDatum(construct_array(datums, static_cast<int>(count), FLOAT8OID,
                                             sizeof(double), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
    });
  }
};

}  // namespace pg
