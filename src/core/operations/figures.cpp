// Numbers and days as a report writes them.
#include "core/operations/figures.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>

namespace vrm::report {
namespace {

constexpr int lines = 4;  ///< of a chart, above its axis

/// Without zeros after the point, and without a point that nothing follows.
std::string trimmed(std::string number) {
  if (number.find('.') == std::string::npos) return number;
  while (number.back() == '0') number.pop_back();
  if (number.back() == '.') number.pop_back();
  return number == "-0" ? "0" : number;
}

std::string plain(double value) {
  std::string number = trimmed(fixed(value, 2));
  const std::size_t first = number.front() == '-' ? 1 : 0;
  // Thousands are parted by commas, from the point to the left.
  for (std::size_t at = std::min(number.find('.'), number.size()); at > first + 3;) {
    at -= 3;
    number.insert(at, ",");
  }
  return number;
}

std::string percent(double value) {
  // A rate that was divided and multiplied again is off by the last digits of a double.
  value = std::round(value * 1e9) / 1e9;
  if (value > 0 && value < 0.1) value = 0.1;
  if (value > 99.9 && value < 100) value = 99.9;
  // The millionth keeps a tenth that is off by rounding from being cut to the one below.
  return trimmed(fixed(std::trunc((value * 10) + 1e-6) / 10, 1)) + " %";
}

std::string seconds(double value) {
  const auto two_digits = [](double number) { return (number < 10 ? "0" : "") + fixed(number, 0); };
  const double all = std::round(std::fabs(value));
  const double hours = std::floor(all / 3600);
  const double minutes = std::floor(std::fmod(all, 3600) / 60);
  return std::string(value < 0 && all > 0 ? "-" : "") +
         (hours > 0 ? fixed(hours, 0) + ":" + two_digits(minutes) : fixed(minutes, 0)) + ":" +
         two_digits(std::fmod(all, 60));
}

std::string bytes(double value) {
  constexpr std::array units = {" bytes", " kB", " MB", " GB", " TB", " PB", " EB"};
  std::size_t unit = 0;
  // 1023.95 would be written as 1024.0
  while (std::fabs(value) >= 1023.95 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  if (value == 0) return "0";
  const int decimals = unit > 0 && std::fabs(value) < 99.95 ? 1 : 0;
  return trimmed(fixed(value, decimals)) + units.at(unit);
}

/// The first product of a power of `base` and one of the steps that is far enough.
double round_distance(double highest, double base, int powers, std::span<const double> steps) {
  double power = 1;
  for (int i = 0; i <= powers; ++i) {
    for (const double step : steps) {
      if (step * power * lines >= highest) return step * power;
    }
    power *= base;
  }
  // Beyond all powers the distance is no round number any more.
  return highest / lines;
}

/// Year, month and day of the form 2026-11-03.
struct calendar_day {
  int year;
  std::size_t month;
  int day;
};

std::optional<calendar_day> read_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  calendar_day read{};
  const auto number = [&](std::size_t at, std::size_t size, auto& into) {
    const char* const end = text.data() + at + size;
    const auto found = std::from_chars(text.data() + at, end, into);
    return found.ec == std::errc{} && found.ptr == end;
  };
  if (!number(0, 4, read.year) || !number(5, 2, read.month) || !number(8, 2, read.day) ||
      read.month < 1 || read.month > 12) {
    return std::nullopt;
  }
  return read;
}

constexpr std::array<std::string_view, 12> months = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

}  // namespace

std::string fixed(double value, int decimals) {
  std::array<char, 400> digits{};  // the largest double has 309 before its point
  char* const begin = digits.data();
  const auto written =
      std::to_chars(begin, begin + digits.size(), value, std::chars_format::fixed, decimals);
  return {begin, written.ptr};
}

std::string figure(double value, std::string_view unit) {
  if (unit == "bytes") return bytes(value);
  if (unit == "seconds") return seconds(value);
  if (unit == "percent") return percent(value);
  return plain(value);
}

double line_distance(double highest, std::string_view unit) {
  if (unit == "percent") return 100.0 / lines;
  if (unit == "seconds") {
    constexpr std::array steps = {15., 30., 60., 120., 300., 600., 1800., 3600., 14400.};
    return round_distance(highest, 1, 0, steps);
  }
  if (unit == "bytes") {
    constexpr std::array steps = {1., 2., 5., 10., 20., 50., 100., 200., 500.};
    return round_distance(highest, 1024, 6, steps);
  }
  constexpr std::array steps = {1., 2., 5.};
  return round_distance(highest, 10, 12, steps);
}

std::string day_label(std::string_view day) {
  const auto read = read_day(day);
  if (!read) return std::string(day);
  return std::string(months.at(read->month - 1).substr(0, 3)) + " " + std::string(day.substr(8));
}

std::string day_in_words(std::string_view day, bool with_year) {
  const auto read = read_day(day);
  if (!read) return std::string(day);
  return std::string(months.at(read->month - 1)) + " " + std::to_string(read->day) +
         (with_year ? ", " + std::string(day.substr(0, 4)) : "");
}

}  // namespace vrm::report
