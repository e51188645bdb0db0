#pragma once

#include <array>
#include <optional>
#include <tuple>
#include <utility>

#include "pg/function.h"

extern "C" {
#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "funcapi.h"
}

namespace pg {

/// A row result: of a function that is declared with OUT arguments of these types, in this order.
template <typename... Columns>
using record = std::tuple<Columns...>;

template <typename... Columns>
struct datum_traits<std::tuple<Columns...>> {
  static constexpr Oid oid = RECORDOID;

  static Datum to(const std::tuple<Columns...>& row) {
    return put(row, std::index_sequence_for<Columns...>());
  }

 private:
  /// Anonymous, and known to the backend for as long as it lives.
  static TupleDesc descriptor() {
    static TupleDesc made = nullptr;
    if (made == nullptr) {
      guarded([] {
        const MemoryContext outer = MemoryContextSwitchTo(TopMemoryContext);
        TupleDesc fresh = CreateTemplateTupleDesc(sizeof...(Columns));
        AttrNumber number = 0;
        (TupleDescInitEntry(fresh, ++number, nullptr, datum_traits<Columns>::oid, -1, 0), ...);
        made = BlessTupleDesc(fresh);
        MemoryContextSwitchTo(outer);
      });
    }
    return made;
  }

  template <typename T>
  static Datum value(const T& column, bool& null) {
    if constexpr (detail::is_optional<T>) {
      null = !column.has_value();
      return null ? Datum{0} : datum_traits<T>::to(*column);
    } else {
      null = false;
      return datum_traits<T>::to(column);
    }
  }

  template <std::size_t... Index>
  static Datum put(const std::tuple<Columns...>& row, std::index_sequence<Index...> /*index*/) {
    std::array<bool, sizeof...(Columns)> nulls{};
    std::array<Datum, sizeof...(Columns)> values = {value(std::get<Index>(row), nulls[Index])...};
    TupleDesc columns = descriptor();
    return guarded(
        [&] { return HeapTupleGetDatum(heap_form_tuple(columns, values.data(), nulls.data())); });
  }
};

}  // namespace pg
