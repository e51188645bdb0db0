#pragma once

/// Values on their way between SQL and C++: which C++ type stands for which SQL type, and how.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "boundary/backend.h"
#include "boundary/error/guard.h"
#include "boundary/memory/memory.h"
#include "core/platform/uuid.h"

extern "C" {
#include "datatype/timestamp.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
}

namespace pg {

/// How a C++ type travels as a Datum.  `oid` is the SQL type it stands for.
template <typename T>
struct datum_traits;

template <>
struct datum_traits<bool> {
  static constexpr Oid oid = BOOLOID;
  static bool from(Datum datum) noexcept { return DatumGetBool(datum); }
  static Datum to(bool value) noexcept { return BoolGetDatum(value); }
};

template <>
struct datum_traits<std::int32_t> {
  static constexpr Oid oid = INT4OID;
  static std::int32_t from(Datum datum) noexcept { return DatumGetInt32(datum); }
  static Datum to(std::int32_t value) noexcept { return Int32GetDatum(value); }
};

template <>
struct datum_traits<std::int64_t> {
  static constexpr Oid oid = INT8OID;
  static std::int64_t from(Datum datum) noexcept { return DatumGetInt64(datum); }
  static Datum to(std::int64_t value) noexcept { return Int64GetDatum(value); }
};

template <>
struct datum_traits<double> {
  static constexpr Oid oid = FLOAT8OID;
  static double from(Datum datum) noexcept { return DatumGetFloat8(datum); }
  static Datum to(double value) noexcept { return Float8GetDatum(value); }
};

namespace detail {

/// The payload of a varlena.  Detoasting can raise an ERROR; no C++ object is alive yet then.
/// A view into the value itself when it is neither compressed nor out of line: read only.
inline std::string_view payload(Datum datum) {
  const auto* packed = PG_DETOAST_DATUM_PACKED(datum);
  return {VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)};
}

/// In the current memory context; std::length_error, SQLSTATE 54000, for what is too large.
/// Without data there is room for it.
inline Datum make_varlena(const void* data, std::size_t size) {
  if (size > MaxAllocSize - VARHDRSZ) throw std::length_error("value exceeds the 1 GB limit");
  auto* varlena = static_cast<struct varlena*>(allocate(VARHDRSZ + size));
  SET_VARSIZE(varlena, VARHDRSZ + size);
  if (data != nullptr && size > 0) std::memcpy(VARDATA(varlena), data, size);
  return PointerGetDatum(varlena);
}

}  // namespace detail

/// A result that is packed to where it is returned, and copied no more.
template <typename T, Oid Type>
struct packed_result {
  T value;
};

template <typename T, Oid Type>
struct datum_traits<packed_result<T, Type>> {
  static constexpr Oid oid = Type;
  static Datum to(const packed_result<T, Type>& result) {
    const Datum made = detail::make_varlena(nullptr, result.value.packed_size());
    result.value.pack(reinterpret_cast<std::byte*>(VARDATA(DatumGetPointer(made))));
    return made;
  }
};

template <>
struct datum_traits<std::string_view> {
  static constexpr Oid oid = TEXTOID;
  static std::string_view from(Datum datum) { return detail::payload(datum); }
  static Datum to(std::string_view value) {
    return detail::make_varlena(value.data(), value.size());
  }
};

template <>
struct datum_traits<std::string> {  // results only: an argument has to be a view
  static constexpr Oid oid = TEXTOID;
  static Datum to(std::string_view value) { return datum_traits<std::string_view>::to(value); }
};

template <>
struct datum_traits<std::span<const std::byte>> {
  static constexpr Oid oid = BYTEAOID;
  static std::span<const std::byte> from(Datum datum) {
    return std::as_bytes(std::span(detail::payload(datum)));
  }
  static Datum to(std::span<const std::byte> value) {
    return detail::make_varlena(value.data(), value.size());
  }
};

template <std::size_t Size>
struct datum_traits<std::array<std::byte, Size>> {  // results only
  static constexpr Oid oid = BYTEAOID;
  static Datum to(const std::array<std::byte, Size>& value) {
    return detail::make_varlena(value.data(), value.size());
  }
};

template <>
struct datum_traits<vrm::uuid> {
  static constexpr Oid oid = UUIDOID;
  static vrm::uuid from(Datum datum) noexcept {
    vrm::uuid value{};
    std::memcpy(value.bytes.data(), DatumGetPointer(datum), value.bytes.size());
    return value;
  }
  static Datum to(const vrm::uuid& value) {
    return PointerGetDatum(
        std::memcpy(allocate(value.bytes.size()), value.bytes.data(), value.bytes.size()));
  }
};

/// A moment, in microseconds since the Unix epoch; the ends of the scale are -infinity and
/// infinity.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

template <>
struct datum_traits<timestamp> {
  static constexpr Oid oid = TIMESTAMPTZOID;
  /// From the Unix epoch to PostgreSQL's, 2000-01-01, in microseconds.
  static constexpr std::int64_t epoch =
      std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * SECS_PER_DAY * USECS_PER_SEC;

  static timestamp from(Datum datum) noexcept {
    const std::int64_t value = DatumGetInt64(datum);
    if (value == DT_NOBEGIN) return timestamp::min();
    // DT_NOEND is among these.
    if (value > INT64_MAX - epoch) return timestamp::max();
    return timestamp(std::chrono::microseconds(value + epoch));
  }
  static Datum to(timestamp value) noexcept {
    if (value == timestamp::max()) return Int64GetDatum(DT_NOEND);
    const std::int64_t microseconds = value.time_since_epoch().count();
    return Int64GetDatum(microseconds < INT64_MIN + epoch ? DT_NOBEGIN : microseconds - epoch);
  }
};

/// An interval of so many microseconds: the length of something, without days or months.
template <>
struct datum_traits<std::chrono::microseconds> {
  static constexpr Oid oid = INTERVALOID;
  /// Days have 24 hours, months 30 days, as in PostgreSQL's comparison of intervals; what is longer
  /// than fits is the longest that does.
  static std::chrono::microseconds from(Datum datum) noexcept {
    const Interval& interval = *DatumGetIntervalP(datum);
    constexpr auto days_in_month = static_cast<std::int64_t>(DAYS_PER_MONTH);
    const std::int64_t days = (interval.month * days_in_month) + interval.day;
    std::int64_t sum = 0;
    if (__builtin_mul_overflow(days, USECS_PER_DAY, &sum) ||
        __builtin_add_overflow(sum, interval.time, &sum)) {
      return days < 0 ? std::chrono::microseconds::min() : std::chrono::microseconds::max();
    }
    return std::chrono::microseconds(sum);
  }
  static Datum to(std::chrono::microseconds value) {
    auto* interval = static_cast<Interval*>(allocate(sizeof(Interval)));
    *interval = {.time = value.count(), .day = 0, .month = 0};
    return PointerGetDatum(interval);
  }
};

/// Text as the input function of a type takes it and its output function gives it.
template <>
struct datum_traits<const char*> {
  static constexpr Oid oid = CSTRINGOID;
  static const char* from(Datum datum) noexcept { return DatumGetCString(datum); }
  static Datum to(const char* value) noexcept { return CStringGetDatum(value); }
};

/// jsonb in its binary form, without the varlena header; boundary/value/jsonb.h walks it.
struct jsonb_view {
  std::string_view binary;
};

template <>
struct datum_traits<jsonb_view> {
  static constexpr Oid oid = JSONBOID;
  /// The container inside is read as integers, hence the unpacked form, which is aligned.
  static jsonb_view from(Datum datum) {
    const auto* unpacked = PG_DETOAST_DATUM(datum);
    return {{VARDATA(unpacked), VARSIZE(unpacked) - VARHDRSZ}};
  }
  static Datum to(jsonb_view value) {
    return detail::make_varlena(value.binary.data(), value.binary.size());
  }
};

/// A jsonb result that is still text in the server's encoding.
/// Text that is not valid JSON is an ERROR 22P02.
struct jsonb_text {
  std::string text;
};

template <>
struct datum_traits<jsonb_text> {
  static constexpr Oid oid = JSONBOID;
  static Datum to(const jsonb_text& value) {
    const char* const text = value.text.c_str();
    return guarded([text] { return DirectFunctionCall1(jsonb_in, CStringGetDatum(text)); });
  }
};

template <>
struct datum_traits<void> {
  static constexpr Oid oid = VOIDOID;
};

template <typename T>
struct datum_traits<std::optional<T>> : datum_traits<T> {};

}  // namespace pg
