#pragma once

#include <array>
#include <optional>
#include <tuple>
#include <utility>

#include "boundary/call/function.h"

extern "C" {
#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "funcapi.h"
}

namespace pg {

/// A row result: of a function that is declared with OUT arguments of these types, in this order.
template <typename... Columns>
using record = std::tuple<Columns...>;

/// The same for callers in PL/pgSQL, which look at a record that they were given by name: `Names`
/// has the names of the OUT arguments in the array Names::columns.
template <typename Names, typename... Columns>
struct named_record {
  static_assert(Names::columns.size() == sizeof...(Columns));
  std::tuple<Columns...> values;
};

namespace detail {

/// For rows that nobody asks by name: FROM gives their columns names.
struct unnamed {
  static constexpr std::array<const char*, 1> columns = {nullptr};
};

template <typename Names, typename... Columns>
struct record_traits {
  static constexpr Oid oid = RECORDOID;

  static Datum to(const std::tuple<Columns...>& row) {
    return put(row, std::index_sequence_for<Columns...>());
  }

 private:
  /// Known to the backend for as long as it lives.
  /// The row type is registered with the backend: a record without it could not be looked into.
  static TupleDesc descriptor() {
    static TupleDesc made = nullptr;
    if (made == nullptr) {
      guarded([] {
        const MemoryContext outer = MemoryContextSwitchTo(TopMemoryContext);
        TupleDesc fresh = CreateTemplateTupleDesc(sizeof...(Columns));
        std::size_t number = 0;
        ((TupleDescInitEntry(fresh, static_cast<AttrNumber>(number + 1),
                             Names::columns[number % Names::columns.size()],
                             datum_traits<Columns>::oid, -1, 0),
          ++number),
         ...);
        // Last, so that after an ERROR on the way the next call begins anew.
        made = BlessTupleDesc(fresh);
        MemoryContextSwitchTo(outer);
      });
    }
    return made;
  }

  template <typename T>
  static Datum value(const T& column, bool& null) {
    if constexpr (is_optional<T>) {
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

}  // namespace detail

template <typename... Columns>
struct datum_traits<std::tuple<Columns...>> : detail::record_traits<detail::unnamed, Columns...> {};

template <typename Names, typename... Columns>
struct datum_traits<named_record<Names, Columns...>> : detail::record_traits<Names, Columns...> {
  static Datum to(const named_record<Names, Columns...>& row) {
    return detail::record_traits<Names, Columns...>::to(row.values);
  }
};

}  // namespace pg
