// Times in minutes and seconds.
#include "core/calls/clock.h"

namespace vrm {

clock_text::clock_text(std::int64_t milliseconds, int minute_digits) noexcept {
  const std::int64_t seconds = milliseconds / 1000;
  put(seconds % 60, 2);
  text_[--start_] = ':';
  if (seconds < 3600) {
    put(seconds / 60, minute_digits);
    return;
  }
  put(seconds / 60 % 60, 2);
  text_[--start_] = ':';
  put(seconds / 3600, 1);
}

void clock_text::put(std::int64_t number, int digits) noexcept {
  for (; digits > 0 || number > 0; --digits, number /= 10) {
    text_[--start_] = static_cast<char>('0' + (number % 10));
  }
}

}  // namespace vrm
