// Times, durations, money and words as strangers write them.
#include "core/calls/imports_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <compare>

#include "core/calls/speakers.h"

namespace vrm::imports {
namespace {

constexpr length a_second = 1000;
constexpr length a_minute = 60 * a_second;
constexpr length an_hour = 60 * a_minute;
constexpr length a_day = 24 * an_hour;
constexpr moment first_beyond = 253'402'300'800 * a_second;  // the year 10000

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr char lower(char c) noexcept { return is_upper(c) ? static_cast<char>(c + 32) : c; }
constexpr bool is_letter(char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view space = " \t\n\r";
  const std::size_t first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

template <typename Value, std::size_t Size>
using vocabulary = std::array<std::pair<std::string_view, Value>, Size>;

template <typename Value, std::size_t Size>
std::optional<Value> look_up(const vocabulary<Value, Size>& words, std::string_view wanted) {
  for (const auto& [word, meaning] : words) {
    if (word == wanted) return meaning;
  }
  return std::nullopt;
}

/// Goes through a text from left to right; what was not there leaves it where it is.
class scanner {
 public:
  explicit scanner(std::string_view text) noexcept : rest_(text) {}

  [[nodiscard]] bool done() const noexcept { return rest_.empty(); }
  [[nodiscard]] char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }

  bool accept(char wanted) noexcept {
    if (lower(peek()) != lower(wanted) || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  template <typename Predicate>
  std::string_view take_while(Predicate fits) noexcept {
    const auto end = std::ranges::find_if_not(rest_, fits);
    const auto taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  void skip_space() noexcept {
    take_while([](char c) { return c == ' ' || c == '\t'; });
  }
  /// Exactly so many digits.
  std::optional<int> number(std::size_t fewest, std::size_t most) noexcept {
    const auto before = rest_;
    const auto digits = take_while(is_digit);
    int value = 0;
    if (digits.size() < fewest || digits.size() > most) return rest_ = before, std::nullopt;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }
  /// Digits, perhaps with a fraction; empty when there are none.
  std::string_view decimal() noexcept {
    const auto before = rest_;
    take_while(is_digit);
    if (peek() == '.' || peek() == ',') {
      rest_.remove_prefix(1);
      take_while(is_digit);
    }
    return before.substr(0, before.size() - rest_.size());
  }

 private:
  std::string_view rest_;
};

std::optional<length> decimal_length(std::string_view number, std::int64_t unit) {
  std::string text(number);
  std::ranges::replace(text, ',', '.');
  const auto thousandths = scaled(text, 3);
  // Bounded before it is multiplied: no unit makes it overflow then.
  if (!thousandths || *thousandths > 1000 * a_day) return std::nullopt;
  if (unit == 1) return scaled(text, 0);
  return *thousandths * (unit / a_second);
}

// --- moments ------------------------------------------------------------------------------------

struct calendar {
  int year = 1970, month = 1, day = 1;
  int hour = 0, minute = 0, second = 0;
  length fraction = 0;     // ms
  std::int64_t ahead = 0;  // of UTC, ms
};

std::optional<moment> moment_of(const calendar& at) {
  using namespace std::chrono;
  const year_month_day date{year{at.year}, month{static_cast<unsigned>(at.month)},
                            std::chrono::day{static_cast<unsigned>(at.day)}};
  // A leap second, 60, becomes the first of the next minute.
  if (!date.ok() || at.hour > 23 || at.minute > 59 || at.second > 60) return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  const moment found = (days * a_day) + (at.hour * an_hour) + (at.minute * a_minute) +
                       (at.second * a_second) + at.fraction - at.ahead;
  if (found < 0 || found >= first_beyond) return std::nullopt;
  return found;
}

/// "hh:mm", "hh:mm:ss" and "hh:mm:ss.fff"
bool read_clock(scanner& text, calendar& at) {
  const auto hours = text.number(1, 2);
  const auto minutes = hours && text.accept(':') ? text.number(2, 2) : std::nullopt;
  if (!minutes) return false;
  at.hour = *hours;
  at.minute = *minutes;
  if (!text.accept(':')) return true;
  const auto seconds = text.number(2, 2);
  if (!seconds) return false;
  at.second = *seconds;
  if (text.peek() != '.' && text.peek() != ',') return true;
  std::string fraction(text.decimal());
  // It begins with the point or comma, which decimal() has taken along.
  fraction[0] = '.';
  const auto thousandths = scaled("0" + fraction, 3);
  at.fraction = thousandths.value_or(0);
  return thousandths.has_value();
}

/// "Z", "+02:00", "+0200", "+02", names of RFC 2822, or nothing at all.
bool read_zone(scanner& text, calendar& at) {
  text.skip_space();
  if (text.done()) return true;
  if (text.peek() == '+' || text.peek() == '-') {
    const std::int64_t sign = text.accept('-') ? -1 : (text.accept('+'), 1);
    auto hours = text.number(2, 2);
    std::optional<int> minutes = 0;
    if (hours) {
      if (text.accept(':')) minutes = text.number(2, 2);
      // Two digits are not taken where four stand: these are hours and minutes.
    } else if (const auto both = text.number(4, 4)) {
      hours = *both / 100;
      minutes = *both % 100;
    }
    if (!hours || !minutes || *hours > 18 || *minutes > 59) return false;
    at.ahead = sign * ((*hours * an_hour) + (*minutes * a_minute));
    return true;
  }
  // RFC 2822 (4.3) gives these names a meaning; of others there are several.
  constexpr vocabulary<int, 12> names = {{{"z", 0},
                                          {"utc", 0},
                                          {"gmt", 0},
                                          {"ut", 0},
                                          {"est", -5},
                                          {"edt", -4},
                                          {"cst", -6},
                                          {"cdt", -5},
                                          {"mst", -7},
                                          {"mdt", -6},
                                          {"pst", -8},
                                          {"pdt", -7}}};
  const std::string name = folded(text.take_while(is_letter));
  const auto hours = look_up(names, name);
  if (!hours) return false;
  at.ahead = *hours * an_hour;
  return true;
}

std::optional<moment> iso_moment(std::string_view written) {
  scanner text(written);
  calendar at{};
  const auto year = text.number(4, 4);
  const auto month = year && text.accept('-') ? text.number(2, 2) : std::nullopt;
  const auto day = month && text.accept('-') ? text.number(2, 2) : std::nullopt;
  if (!day) return std::nullopt;
  at.year = *year, at.month = *month, at.day = *day;
  if (!text.done()) {
    if (!text.accept('T') && !text.accept(' ')) return std::nullopt;
    if (!read_clock(text, at) || !read_zone(text, at) || !text.done()) return std::nullopt;
  }
  return moment_of(at);
}

/// "Tue, 18 Aug 2026 20:36:28 +0000"
std::optional<moment> mail_moment(std::string_view written) {
  constexpr std::string_view months = "janfebmaraprmayjunjulaugsepoctnovdec";
  scanner text(written);
  calendar at{};
  // The day of the week is passed over, right or wrong.
  if (is_letter(text.peek())) {
    text.take_while(is_letter);
    if (!text.accept(',')) return std::nullopt;
    text.skip_space();
  }
  const auto day = text.number(1, 2);
  text.skip_space();
  const std::string name = folded(text.take_while(is_letter));
  text.skip_space();
  const auto year = text.number(4, 4);
  const std::size_t month = name.size() == 3 ? months.find(name) : std::string_view::npos;
  if (!day || !year || month % 3 != 0 || month == std::string_view::npos) return std::nullopt;
  at.year = *year, at.month = static_cast<int>(month / 3) + 1, at.day = *day;
  text.skip_space();
  if (!read_clock(text, at) || !read_zone(text, at) || !text.done()) return std::nullopt;
  return moment_of(at);
}

// --- durations ----------------------------------------------------------------------------------

/// "2:05", "1:02:05.5"
std::optional<length> clock_length(std::string_view written) {
  scanner text(written);
  std::array<std::int64_t, 3> fields{};
  std::size_t count = 0;
  std::string_view last;
  do {
    if (count == fields.size()) return std::nullopt;
    last = text.decimal();
    const auto whole = scaled(last, 0);
    if (!whole || *whole > 1'000'000) return std::nullopt;
    fields[count++] = *whole;
  } while (text.accept(':'));
  const auto seconds = decimal_length(last, a_second);
  if (!text.done() || count < 2 || !seconds || *seconds >= a_minute) return std::nullopt;
  if (count == 2) return (fields[0] * a_minute) + *seconds;
  if (fields[1] > 59) return std::nullopt;
  return (fields[0] * an_hour) + (fields[1] * a_minute) + *seconds;
}

std::optional<std::int64_t> unit_of(std::string_view name, bool date_part) {
  constexpr vocabulary<std::int64_t, 20> units = {{{"ms", 1},
                                                   {"msec", 1},
                                                   {"millisecond", 1},
                                                   {"milliseconds", 1},
                                                   {"s", a_second},
                                                   {"sec", a_second},
                                                   {"secs", a_second},
                                                   {"second", a_second},
                                                   {"seconds", a_second},
                                                   {"m", a_minute},
                                                   {"min", a_minute},
                                                   {"mins", a_minute},
                                                   {"minute", a_minute},
                                                   {"minutes", a_minute},
                                                   {"h", an_hour},
                                                   {"hr", an_hour},
                                                   {"hour", an_hour},
                                                   {"hours", an_hour},
                                                   {"d", a_day},
                                                   {"days", a_day}}};
  const auto unit = look_up(units, name);
  // Before its "T", an "M" of ISO 8601 is months, which have no length.
  if (date_part && unit != a_day) return std::nullopt;
  return unit;
}

/// Numbers with units one after the other, as in "2m 5s" and, after a "P", ISO 8601.
std::optional<length> unit_length(std::string_view written) {
  scanner text(written);
  const bool iso = text.accept('P');
  bool date_part = iso && !text.accept('T');
  length sum = 0;
  do {
    text.skip_space();
    const auto number = text.decimal();
    text.skip_space();
    const std::string name =
        folded(text.take_while([&](char c) { return is_letter(c) && (!iso || lower(c) != 't'); }));
    const auto unit = unit_of(name, date_part);
    const auto part = unit && !number.empty() ? decimal_length(number, *unit) : std::nullopt;
    if (!part) return std::nullopt;
    sum += *part;
    text.skip_space();
    if (date_part && text.accept('T')) date_part = false;
  } while (!text.done());
  return sum;
}

}  // namespace

namespace {

/// digits[0, whole) before the decimal point, which may lie outside of them
struct decimal {
  std::string digits;
  std::int64_t whole = 0;
};

/// Reads the exponent off the end of a number; nothing when it is not valid, or larger than any
/// number needs.
std::optional<int> take_exponent(std::string_view& number) {
  const auto mark = number.find_first_of("eE");
  if (mark == std::string_view::npos) return 0;
  auto written = number.substr(mark + 1);
  if (written.starts_with('+')) written.remove_prefix(1);
  int value = 0;
  const auto [end, failed] =
      std::from_chars(written.data(), written.data() + written.size(), value);
  const bool is_whole = failed == std::errc{} && end == written.data() + written.size();
  // Keeps whole_part() from long loops, too, whatever is sent.
  if (!is_whole || value > 400 || value < -400) return std::nullopt;
  number = number.substr(0, mark);
  return value;
}

std::optional<decimal> decimal_of(std::string_view number, int power) {
  const auto exponent = take_exponent(number);
  const std::size_t point = std::min(number.find('.'), number.size());
  decimal read{.digits = std::string(number.substr(0, point)),
               .whole = static_cast<std::int64_t>(point) + exponent.value_or(0) + power};
  if (point < number.size()) read.digits += number.substr(point + 1);
  if (!exponent || read.digits.empty() || !std::ranges::all_of(read.digits, is_digit))
    return std::nullopt;
  return read;
}

/// What precedes the decimal point.
std::optional<std::int64_t> whole_part(const decimal& read) {
  std::int64_t value = 0;
  for (std::int64_t i = 0; i < read.whole; ++i) {
    const auto place = static_cast<std::size_t>(i);
    const std::int64_t digit = place < read.digits.size() ? read.digits[place] - '0' : 0;
    if (__builtin_mul_overflow(value, std::int64_t{10}, &value) ||
        __builtin_add_overflow(value, digit, &value))
      return std::nullopt;
  }
  return value;
}

/// What is behind the decimal point, held against a half: less, equal or more.
std::strong_ordering fraction_to_half(const decimal& read) {
  const auto size = static_cast<std::int64_t>(read.digits.size());
  if (read.whole < 0 || read.whole >= size) return std::strong_ordering::less;
  // Only digits are left, compared as text: no rounding that doubles would bring.
  const std::string_view fraction =
      std::string_view(read.digits).substr(static_cast<std::size_t>(read.whole));
  if (fraction[0] != '5') return fraction[0] <=> '5';
  return fraction.find_first_not_of('0', 1) == std::string_view::npos
             ? std::strong_ordering::equal
             : std::strong_ordering::greater;
}

}  // namespace

std::optional<std::int64_t> scaled(std::string_view number, int power) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const auto read = decimal_of(number, power);
  auto value = read ? whole_part(*read) : std::nullopt;
  if (!value) return std::nullopt;
  const auto half = fraction_to_half(*read);
  // halves go up, and so towards zero below it
  *value += static_cast<std::int64_t>(negative ? half > 0 : half >= 0);
  return negative ? -*value : *value;
}

std::optional<moment> parse_moment(std::string_view text) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  if (std::ranges::all_of(text, [](char c) {
        return is_digit(c) || c == '.' || c == 'e' || c == 'E' || c == '+';
      })) {
    const auto milliseconds = scaled(text, 3);
    if (!milliseconds) return std::nullopt;
    // 1e11 seconds in ms: what is more was in ms already.
    const auto found = *milliseconds < 100'000'000'000'000 ? milliseconds : scaled(text, 0);
    if (!found || *found >= first_beyond) return std::nullopt;
    return found;
  }
  if (const auto iso = iso_moment(text)) return iso;
  return mail_moment(text);
}

std::optional<length> parse_length(std::string_view text, int power) {
  text = trimmed(text);
  if (text.empty() || text.starts_with('-')) return std::nullopt;
  std::optional<length> found = scaled(text, power);
  if (!found) found = clock_length(text);
  if (!found) found = unit_length(text);
  if (found && *found > 1000 * a_day) return std::nullopt;
  return found;
}

std::string folded(std::string_view word) {
  std::string text;
  char before = '-';
  for (const char c : trimmed(word)) {
    const bool parts = c == '_' || c == '.' || c == ' ' || c == '-' || c == '\t';
    const bool begins_word = is_upper(c) && !is_upper(before) && is_letter(before);
    if ((parts || begins_word) && !text.empty() && text.back() != '-') text += '-';
    if (!parts) text += lower(c);
    before = c;
  }
  if (text.ends_with('-')) text.pop_back();
  return text;
}

bool matches(std::string_view pattern, std::string_view text) noexcept {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  text.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  // Each part where it first occurs, which leaves the most text for those after it.
  for (std::size_t next = pattern.find('*'); next != std::string_view::npos;
       next = pattern.find('*')) {
    const std::size_t found = text.find(pattern.substr(0, next));
    if (found == std::string_view::npos) return false;
    text.remove_prefix(found + next);
    pattern.remove_prefix(next + 1);
  }
  return text.ends_with(pattern);
}

std::string_view sentiment_of(std::string_view word) {
  constexpr vocabulary<std::string_view, 15> words = {{{"positive", "positive"},
                                                       {"pos", "positive"},
                                                       {"very-positive", "positive"},
                                                       {"slightly-positive", "positive"},
                                                       {"somewhat-positive", "positive"},
                                                       {"neutral", "neutral"},
                                                       {"mixed", "neutral"},
                                                       {"negative", "negative"},
                                                       {"neg", "negative"},
                                                       {"very-negative", "negative"},
                                                       {"slightly-negative", "negative"},
                                                       {"somewhat-negative", "negative"},
                                                       {"unknown", "none"},
                                                       {"none", "none"},
                                                       {"", "none"}}};
  return look_up(words, folded(word)).value_or("");
}

speaker_role role_of(std::string_view word) {
  using enum speaker_role;
  // What only reports say.
  constexpr vocabulary<speaker_role, 2> words = {{{"callee", customer}, {"tool-result", tool}}};
  const std::string key = folded(word);
  if (const auto known = look_up(words, key)) return *known;
  const auto known = role_of_speaker(key);
  if (!known) return unknown;
  constexpr std::array<speaker_role, 4> roles = {agent, customer, tool, system};
  return roles[static_cast<std::size_t>(*known)];
}

std::string_view name_of(speaker_role role) noexcept {
  constexpr std::array<std::string_view, 5> names = {"", "agent", "customer", "tool", "system"};
  return names[static_cast<std::size_t>(role)];
}

std::size_t characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

}  // namespace vrm::imports
