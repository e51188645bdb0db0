#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "boundary/value/datum.h"

extern "C" {
#include "access/htup_details.h"
#include "storage/itemptr.h"
#include "utils/array.h"
#include "utils/typcache.h"
}

/// Rows, arrays of text and row addresses as arguments.
namespace pg {

/// A row of any type, as it came.
struct any_row {
  HeapTupleHeader row;
};

template <>
struct datum_traits<any_row> {
  static constexpr Oid oid = RECORDOID;
  /// Flattens a row that has values out of line; may raise an ERROR.
  static any_row from(Datum datum) { return {DatumGetHeapTupleHeader(datum)}; }
};

/// An array of texts; nulls are passed over.
struct text_array {
  ArrayType* array;
};

template <>
struct datum_traits<text_array> {
  static constexpr Oid oid = TEXTARRAYOID;
  static text_array from(Datum datum) { return {DatumGetArrayTypeP(datum)}; }
};

/// An array of row addresses.
struct tuple_addresses {
  std::span<const Datum> places;

  [[nodiscard]] static ItemPointerData at(Datum place) noexcept {
    return *reinterpret_cast<ItemPointer>(DatumGetPointer(place));
  }
};

template <>
struct datum_traits<tuple_addresses> {
  static constexpr Oid oid = TIDARRAYOID;
  static tuple_addresses from(Datum datum) {
    Datum* places = nullptr;
    int count = 0;
    // No place for nulls is given: an array with one is an ERROR 22004.
    deconstruct_array(DatumGetArrayTypeP(datum), TIDOID, sizeof(ItemPointerData), false,
                      TYPALIGN_SHORT, &places, nullptr, &count);
    return {std::span(places, static_cast<std::size_t>(count))};
  }
};

template <>
struct datum_traits<std::vector<vrm::uuid>> {  // results only
  static constexpr Oid oid = UUIDARRAYOID;
  static Datum to(const std::vector<vrm::uuid>& values) {
    const std::span<const vrm::uuid> all(values);
    return guarded([all] {
      auto* places = static_cast<Datum*>(palloc(all.size_bytes() + sizeof(Datum)));
      for (std::size_t i = 0; i < all.size(); ++i) places[i] = PointerGetDatum(&all[i]);
      return PointerGetDatum(construct_array(places, static_cast<int>(all.size()), UUIDOID,
                                             sizeof(vrm::uuid), false, TYPALIGN_CHAR));
    });
  }
};

/// Where a row lies: ctid.
struct tuple_address {
  ItemPointerData place;
};

template <>
struct datum_traits<tuple_address> {
  static constexpr Oid oid = TIDOID;
  static tuple_address from(Datum datum) noexcept {
    return {*reinterpret_cast<ItemPointer>(DatumGetPointer(datum))};
  }
};

/// The bytes of a value, decompressed; good until memory is freed.  `scratch` holds those of
/// values that are passed by value.
/// May raise an ERROR while detoasting.
inline std::span<const std::byte> bytes_of(Datum value, const FormData_pg_attribute& column,
                                           Datum& scratch) {
  if (column.attlen == -1) return std::as_bytes(std::span(detail::payload(value)));
  if (column.attlen == -2)
    return std::as_bytes(std::span(std::string_view(DatumGetCString(value))));
  const auto size = static_cast<std::size_t>(column.attlen);
  if (!column.attbyval) return {reinterpret_cast<const std::byte*>(DatumGetPointer(value)), size};
  store_att_byval(&scratch, value, column.attlen);
  return std::as_bytes(std::span(&scratch, 1)).first(size);
}

}  // namespace pg
