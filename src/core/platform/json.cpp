#include "core/platform/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>

#include "core/platform/error.h"

namespace vrm::json {
namespace {

/// The reader calls itself for each level: this bounds the stack that a stranger can use up.
constexpr int deepest = 32;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Four hexadecimal digits as a number, or -1.
int code_unit(std::string_view digits) noexcept {
  unsigned unit = 0;
  if (digits.size() < 4) return -1;
  const char* const begin = digits.data();
  const auto [end, failed] = std::from_chars(begin, begin + 4, unit, 16);
  return failed == std::errc{} && end == begin + 4 ? static_cast<int>(unit) : -1;
}

constexpr bool is_high_surrogate(int unit) noexcept { return unit >= 0xD800 && unit < 0xDC00; }
constexpr bool is_low_surrogate(int unit) noexcept { return unit >= 0xDC00 && unit < 0xE000; }

void append_utf8(std::string& text, unsigned point) {
  const auto append = [&](unsigned byte) { text += static_cast<char>(byte); };
  int tail = 0;  // bytes after the first
  if (point < 0x80) {
    append(point);
  } else if (point < 0x800) {
    append(0xC0U | (point >> 6));
    tail = 1;
  } else if (point < 0x10000) {
    append(0xE0U | (point >> 12));
    tail = 2;
  } else {
    append(0xF0U | (point >> 18));
    tail = 3;
  }
  while (tail-- > 0) append(0x80U | ((point >> (6 * tail)) & 0x3FU));
}

/// Resolves the escapes of a string that the reader has found well formed.
std::string unescape(std::string_view raw) {
  std::string text;
  text.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      text += raw[i];
      continue;
    }
    const char escape = raw[++i];
    if (escape != 'u') {
      constexpr std::string_view letters = "bfnrt";
      const std::size_t letter = letters.find(escape);
      // The quote, the backslash and the slash stand for themselves.
      text += letter == std::string_view::npos ? escape : "\b\f\n\r\t"[letter];
      continue;
    }
    const int unit = code_unit(raw.substr(i + 1));
    auto point = static_cast<unsigned>(unit);
    i += 4;
    if (is_high_surrogate(unit)) {
      // The reader has seen that the other half of the pair follows.
      const auto low = static_cast<unsigned>(code_unit(raw.substr(i + 3)));
      point = 0x10000U + ((point - 0xD800U) << 10) + (low - 0xDC00U);
      i += 6;
    }
    append_utf8(text, point);
  }
  return text;
}

/// Reads a text into nodes: each container is followed by what it holds, names as strings.
class reader {
 public:
  reader(std::string_view text, std::vector<node>& nodes) noexcept : text_(text), nodes_(&nodes) {}

  void read() {
    read_value(1);
    skip_space();
    if (at_ < text_.size()) fail("There is text after the value");
  }

 private:
  [[noreturn]] void fail(std::string_view reason) const {
    throw vrm::error("22P02", "invalid JSON")
        .detail(std::string(reason) + " at byte " + std::to_string(at_ + 1) + ".");
  }

  [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() noexcept {
    const std::size_t next = text_.find_first_not_of(" \t\n\r", at_);
    at_ = next == std::string_view::npos ? text_.size() : next;
  }

  /// Whether `wanted` comes next; then it is behind us.
  bool accept(char wanted) noexcept {
    skip_space();
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) fail(std::string("A \"") + wanted + "\" is missing");
  }

  void read_value(int depth) {
    if (depth > deepest) fail("Values are nested too deeply");
    skip_space();
    switch (peek()) {
      case '{':
        read_object(depth);
        break;
      case '[':
        read_array(depth);
        break;
      case '"':
        read_string();
        break;
      case 't':
        read_word("true", kind::boolean);
        break;
      case 'f':
        read_word("false", kind::boolean);
        break;
      case 'n':
        read_word("null", kind::null);
        break;
      default:
        read_number();
    }
  }

  /// Appends a node for a scalar; containers set text and end when they are complete.
  std::size_t append(kind type, std::string_view text, bool escaped = false) {
    const std::size_t index = nodes_->size();
    nodes_->push_back({.type = type, .escaped = escaped, .text = text, .end = index + 1});
    return index;
  }

  void close(std::size_t index, std::size_t start) {
    (*nodes_)[index].text = text_.substr(start, at_ - start);
    (*nodes_)[index].end = nodes_->size();
  }

  void read_array(int depth) {
    const std::size_t start = at_++;
    const std::size_t index = append(kind::array, {});
    if (!accept(']')) {
      do read_value(depth + 1);
      while (accept(','));
      expect(']');
    }
    close(index, start);
  }

  void read_object(int depth) {
    const std::size_t start = at_++;
    const std::size_t index = append(kind::object, {});
    if (!accept('}')) {
      do {
        skip_space();
        if (peek() != '"') fail("A member name is missing");
        read_string();
        expect(':');
        read_value(depth + 1);
      } while (accept(','));
      expect('}');
    }
    close(index, start);
    refuse_duplicates(index);
  }

  /// Sorting keeps a hostile object of many members from costing their square.
  void refuse_duplicates(std::size_t object) const {
    std::vector<std::string_view> names;
    std::deque<std::string> unescaped;  // does not move what the views look at
    // A name is one node, its value all up to that node's end: so this goes from name to name.
    for (std::size_t at = object + 1; at < (*nodes_)[object].end; at = (*nodes_)[at + 1].end) {
      const node& name = (*nodes_)[at];
      names.push_back(name.escaped ? unescaped.emplace_back(unescape(name.text)) : name.text);
    }
    std::ranges::sort(names);
    if (std::ranges::adjacent_find(names) != names.end())
      fail("Two members of the object have the same name; it ends");
  }

  void read_string() {
    const std::size_t start = ++at_;
    bool escaped = false;
    for (; peek() != '"'; ++at_) {
      if (at_ >= text_.size()) fail("A string is not terminated");
      if (static_cast<unsigned char>(peek()) < 0x20) fail("A string contains a control character");
      if (peek() == '\\') {
        escaped = true;
        read_escape();
      }
    }
    append(kind::string, text_.substr(start, at_ - start), escaped);
    ++at_;
  }

  /// Leaves at the last character of the escape.
  void read_escape() {
    ++at_;
    if (peek() != 'u') {
      if (at_ >= text_.size() || std::string_view("\"\\/bfnrt").find(peek()) == std::string::npos)
        fail("An escape sequence is unknown");
      return;
    }
    const int unit = code_unit(text_.substr(at_ + 1));
    if (unit < 0) fail("An escape lacks its four hexadecimal digits");
    // No text of the database can hold it, and C would end the string there.
    if (unit == 0) fail("A string contains NUL");
    at_ += 4;
    if (is_low_surrogate(unit)) fail("A low surrogate is unpaired");
    if (!is_high_surrogate(unit)) return;
    if (text_.substr(at_ + 1, 2) != "\\u" || !is_low_surrogate(code_unit(text_.substr(at_ + 3))))
      fail("A high surrogate is unpaired");
    at_ += 6;
  }

  void read_word(std::string_view word, kind type) {
    if (text_.substr(at_, word.size()) != word) fail("There is no value");
    append(type, text_.substr(at_, word.size()));
    at_ += word.size();
  }

  void skip_digits() {
    if (!is_digit(peek())) fail("A digit is missing");
    while (is_digit(peek())) ++at_;
  }

  void read_number() {
    const std::size_t start = at_;
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
    } else {
      if (!is_digit(peek())) fail("There is no value");
      skip_digits();
    }
    if (peek() == '.') ++at_, skip_digits();
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      skip_digits();
    }
    const std::size_t index = append(kind::number, text_.substr(start, at_ - start));
    // Refused here once, so that whoever asks for the number later always gets one.
    if (!value(*nodes_, index).number()) fail("A number is too large for a double; it ends");
  }

  std::string_view text_;
  std::vector<node>* nodes_;
  std::size_t at_ = 0;
};

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Whether two names are the same but for capital letters and underscores.
/// Letters of ASCII only, without a locale: names of members are ours.
bool is_respelled(std::string_view a, std::string_view b) noexcept {
  for (;;) {
    while (a.starts_with('_')) a.remove_prefix(1);
    while (b.starts_with('_')) b.remove_prefix(1);
    if (a.empty() || b.empty()) return a.empty() && b.empty();
    if (lower(a.front()) != lower(b.front())) return false;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
}

}  // namespace

bool value::is_true() const noexcept { return is(kind::boolean) && text() == "true"; }

std::optional<std::string> value::string() const {
  if (!is(kind::string)) return std::nullopt;
  return self().escaped ? unescape(text()) : std::string(text());
}

bool value::equals(std::string_view wanted) const {
  if (!is(kind::string)) return false;
  return self().escaped ? unescape(text()) == wanted : text() == wanted;
}

std::optional<double> value::number() const noexcept {
  if (!is(kind::number)) return std::nullopt;
  double number = 0;
  const char* const begin = text().data();
  const char* const end = begin + text().size();
  // Not strtod(), which heeds the locale of the session.
  const auto [stop, failed] = std::from_chars(begin, end, number);
  if (failed != std::errc{} || stop != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

// One by one: objects are small, and an index would cost more than it saves.
std::optional<value> value::find(std::string_view name) const {
  if (!is(kind::object)) return std::nullopt;
  for (std::size_t at = index_ + 1; at < self().end;) {
    if (value(*nodes_, at).equals(name)) return value(*nodes_, at + 1);
    at = (*nodes_)[at + 1].end;
  }
  return std::nullopt;
}

std::optional<value> value::find_respelled(std::string_view name) const {
  if (!is(kind::object)) return std::nullopt;
  for (std::size_t at = index_ + 1; at < self().end;) {
    const value key(*nodes_, at);
    // our names have no letter that needs an escape
    if (!(*nodes_)[at].escaped && is_respelled(key.text(), name)) return value(*nodes_, at + 1);
    at = (*nodes_)[at + 1].end;
  }
  return std::nullopt;
}

std::vector<value> value::elements() const {
  std::vector<value> elements;
  if (!is(kind::array)) return elements;
  for (std::size_t at = index_ + 1; at < self().end; at = (*nodes_)[at].end)
    elements.emplace_back(*nodes_, at);
  return elements;
}

std::vector<member> value::members() const {
  std::vector<member> members;
  if (!is(kind::object)) return members;
  for (std::size_t at = index_ + 1; at < self().end; at = (*nodes_)[at + 1].end)
    members.push_back(
        {.name = value(*nodes_, at).string().value_or(""), .value = {*nodes_, at + 1}});
  return members;
}

// Only errors need it: the way down is searched for again, nobody keeps it while reading.
std::string value::pointer() const {
  std::string pointer;
  for (std::size_t container = 0; container != index_;) {
    const bool names = (*nodes_)[container].type == kind::object;
    std::size_t position = 0;
    std::size_t at = container + 1;
    const auto held = [&] { return names ? at + 1 : at; };
    for (; (*nodes_)[held()].end <= index_; at = (*nodes_)[held()].end) ++position;
    pointer += '/';
    if (!names) pointer += std::to_string(position);
    for (const char c : names ? value(*nodes_, at).string().value_or("") : std::string()) {
      if (c == '~') pointer += "~0";
      if (c == '/') pointer += "~1";
      if (c != '~' && c != '/') pointer += c;
    }
    container = held();
  }
  return pointer;
}

document::document(std::string_view text) {
  nodes_.reserve(32);
  reader(text, nodes_).read();
}

std::size_t mend(std::string& text) {
  constexpr std::string_view replacement = "\xEF\xBF\xBD";
  std::size_t mended = 0;
  std::size_t kept = 0;  // up to here `text` is in `out`
  std::string out;
  const auto replace = [&](std::size_t begin, std::size_t end) {
    out.append(text, kept, begin - kept).append(replacement);
    kept = end;
    ++mended;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\0') replace(at, at + 1);
    if (text[at] != '\\') continue;
    const std::string_view escape = std::string_view(text).substr(at);
    const int unit = escape.substr(1, 1) == "u" ? code_unit(escape.substr(2)) : -1;
    const bool pair = is_high_surrogate(unit) && escape.size() >= 12 &&
                      escape.substr(6, 2) == "\\u" && is_low_surrogate(code_unit(escape.substr(8)));
    const bool alone = !pair && (is_high_surrogate(unit) || is_low_surrogate(unit));
    if (unit == 0 || alone) replace(at, at + 6);
    // An escape is passed as a whole: the second backslash of two begins none.
    at += pair ? 11 : unit >= 0 ? 5 : 1;
  }
  if (mended > 0) text = out.append(text, kept);
  return mended;
}

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view hexadecimal = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (byte < 0x20) {
      ((out += "\\u00") += hexadecimal[byte >> 4]) += hexadecimal[byte & 0xF];
    } else {
      // RFC 8259 (7) wants nothing else escaped.
      out += c;
    }
  }
  out += '"';
}

/// As deep as the value is nested, which the reader has bounded.
void append(std::string& out, const value& written) {
  bool first = true;
  const auto separate = [&] {
    if (!std::exchange(first, false)) out += ',';
  };
  switch (written.type()) {
    case kind::string:
      return append_quoted(out, written.string().value_or(""));
    case kind::array:
      out += '[';
      for (const value& element : written.elements()) separate(), append(out, element);
      out += ']';
      return;
    case kind::object:
      out += '{';
      for (const auto& [name, held] : written.members()) {
        separate();
        append_quoted(out, name);
        append(out += ':', held);
      }
      out += '}';
      return;
    case kind::null:
    case kind::boolean:
    case kind::number:
      out += written.text();
  }
}

namespace {

/// Size of the UTF-8 sequence that `bytes` begins with; 0 when it is not valid.
std::size_t utf8_sequence(std::string_view bytes) noexcept {
  const auto byte = [&](std::size_t at) -> unsigned {
    return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
  };
  const unsigned lead = byte(0);
  // NUL is refused as well, though UTF-8 has it.
  if (lead < 0x80) return lead == 0 ? 0 : 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // Bytes beyond the end read as 0 and so are no tails.
  for (std::size_t tail = 1; tail < size; ++tail) {
    if ((byte(tail) & 0xC0U) != 0x80) return 0;
  }
  // what a lead leaves to its first tail byte: not overlong, no surrogate, not beyond U+10FFFF
  const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return byte(1) >= least && byte(1) <= most ? size : 0;
}

}  // namespace

bool is_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const std::size_t size = utf8_sequence(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

}  // namespace vrm::json
