#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vrm::report {

/// Markup that is written in our source: nothing else becomes markup, so what users type cannot.
class markup {
 public:
  explicit consteval markup(std::string_view literal) : text_(literal) {}
  [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

consteval markup operator""_html(const char* text, std::size_t size) {
  return markup({text, size});
}

/// A place in a drawing, written to a tenth.
struct coordinate {
  double value;
};

/// Writes HTML and SVG that is well-formed XML, too: markup as it is, every other text escaped.
class html_writer {
 public:
  template <typename... Pieces>
  html_writer& add(const Pieces&... pieces) {
    (write(pieces), ...);
    return *this;
  }
  /// Style sheets, where nothing is escaped; throws 22023 when one would end its element.
  html_writer& style_sheet(std::string_view text);
  /// Once; the writer is of no use afterwards.
  [[nodiscard]] std::string finish() && { return std::move(text_); }

 private:
  void write(const markup& piece) { text_ += piece.text(); }
  void write(std::string_view text);
  void write(coordinate place);
  void write(std::uint64_t number) { text_ += std::to_string(number); }

  std::string text_;
};

/// Text as a cell of a Markdown table: on one line, and without a character that would mean
/// something.
[[nodiscard]] std::string markdown(std::string_view text);

}  // namespace vrm::report
