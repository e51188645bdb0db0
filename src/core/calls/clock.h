#pragma once

#include <cstdint>
#include <string_view>

namespace vrm {

/// A time as the source document writes it: "02:45", and from an hour on "1:02:45".
class clock_text {
 public:
  /// `milliseconds` are cut to whole seconds; minutes have at least so many digits.
  /// `milliseconds` is not negative.
  clock_text(std::int64_t milliseconds, int minute_digits) noexcept;

  /// Looks into this object.
  [[nodiscard]] std::string_view view() const noexcept { return {text_ + start_, size - start_}; }

 private:
  /// As many hours as 64 bits of ms have, and ":59:59".
  static constexpr std::size_t size = 24;
  void put(std::int64_t number, int digits) noexcept;

  char text_[size]{};  // NOLINT(modernize-avoid-c-arrays): written from its end
  std::size_t start_ = size;
};

}  // namespace vrm
