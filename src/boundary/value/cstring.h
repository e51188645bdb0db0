#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "boundary/value/datum.h"

extern "C" {
#include "lib/stringinfo.h"
#include "utils/array.h"
}

namespace pg {

/// The text of a type's input and output functions.
/// Owns nothing: the chars go with their memory context, or are PostgreSQL's.
class c_string {
 public:
  explicit c_string(char* chars) noexcept : text_(chars) {}

  /// In the current memory context; text with a NUL byte would end there.
  [[nodiscard]] static c_string copy(std::string_view text) {
    auto* const buffer = static_cast<char*>(allocate(text.size() + 1));
    std::memcpy(buffer, text.data(), text.size());
    buffer[text.size()] = '\0';
    return c_string(buffer);
  }

  [[nodiscard]] std::string_view view() const noexcept { return text_; }
  [[nodiscard]] std::span<char> mutable_span() const noexcept {
    return {text_, std::strlen(text_)};
  }
  [[nodiscard]] char* data() const noexcept { return text_; }

 private:
  char* text_;
};

template <>
struct datum_traits<c_string> {
  static constexpr Oid oid = CSTRINGOID;
  static c_string from(Datum datum) noexcept { return c_string(DatumGetCString(datum)); }
  static Datum to(const c_string& value) noexcept { return CStringGetDatum(value.data()); }
};

/// What a type's receive function reads from.
struct message {
  StringInfo buffer;
};

template <>
struct datum_traits<message> {
  static constexpr Oid oid = INTERNALOID;
  static message from(Datum datum) noexcept {
    return {reinterpret_cast<StringInfo>(DatumGetPointer(datum))};
  }
};

/// A bigint[] result.
struct bigint_array {
  std::vector<std::int64_t> elements;
};

template <>
struct datum_traits<bigint_array> {
  static constexpr Oid oid = INT8ARRAYOID;
  static Datum to(const bigint_array& value) {
    return guarded([&] {
      const std::size_t count = value.elements.size();
      auto* const datums = static_cast<Datum*>(palloc(count * sizeof(Datum)));
      for (std::size_t i = 0; i < count; ++i) datums[i] = Int64GetDatum(value.elements[i]);
      return PointerGetDatum(construct_array(datums, static_cast<int>(count), INT8OID,
                                             sizeof(std::int64_t), FLOAT8PASSBYVAL,
                                             TYPALIGN_DOUBLE));
    });
  }
};

}  // namespace pg
