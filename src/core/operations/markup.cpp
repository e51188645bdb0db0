#include "core/operations/markup.h"

#include "core/operations/figures.h"
#include "core/platform/error.h"

namespace vrm::report {
namespace {

/// Space that a browser, and a table of Markdown, takes for one.
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

/// Quotes as well, because texts are put into attributes, too.
void html_writer::write(std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        text_ += "&amp;";
        break;
      case '<':
        text_ += "&lt;";
        break;
      case '>':
        text_ += "&gt;";
        break;
      case '"':
        text_ += "&quot;";
        break;
      case '\'':
        text_ += "&#39;";
        break;
      default:
        // XML has no other control characters, not even escaped.
        if (static_cast<unsigned char>(c) < 0x20 && !is_space(c)) {
          text_ += "&#xFFFD;";
        } else {
          text_ += c == '\v' || c == '\f' ? ' ' : c;
        }
    }
  }
}

void html_writer::write(coordinate place) { text_ += fixed(place.value, 1); }

html_writer& html_writer::style_sheet(std::string_view text) {
  // All that ends a style element begins so; nothing in CSS has to.
  if (text.find("</") != std::string_view::npos) {
    throw error("22023", "style sheet would end its element").detail("It contains \"</\".");
  }
  text_ += text;
  return *this;
}

std::string markdown(std::string_view text) {
  constexpr std::string_view special = "\\`*_{}[]()#+!|~>";
  std::string out;
  bool in_space = false;
  for (const char c : text) {
    // A line break would end the row of the table.
    if (is_space(c)) {
      if (!in_space) out += ' ';
      in_space = true;
      continue;
    }
    in_space = false;
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      if (special.find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace vrm::report
