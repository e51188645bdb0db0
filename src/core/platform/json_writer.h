#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/platform/hex.h"

namespace vrm::json {

/// Writes an object member by member, without white space.  Names are written as they are.
/// So names come from our own source.
class object_writer {
 public:
  /// A string, in UTF-8.
  object_writer& string(std::string_view name, std::string_view value) {
    begin(name).append("\"");
    for (const char c : value) append_character(c);
    text_.append("\"");
    return *this;
  }
  object_writer& integer(std::string_view name, std::uint64_t value) {
    return json(name, std::to_string(value));
  }
  /// The shortest text that reads as the same number.
  /// Finite: JSON has no text for others.
  object_writer& real(std::string_view name, std::optional<double> value) {
    if (!value) return json(name, "null");
    std::array<char, 32> digits{};
    const auto* const end = std::to_chars(digits.data(), digits.data() + digits.size(), *value).ptr;
    return json(name, {digits.data(), static_cast<std::size_t>(end - digits.data())});
  }
  /// What is JSON already.
  object_writer& json(std::string_view name, std::string_view value) {
    begin(name).append(value);
    return *this;
  }
  /// Only after one member at least, and only once: the text is moved out.
  [[nodiscard]] std::string close() { return std::move(text_.append("}")); }

 private:
  std::string& begin(std::string_view name) {
    return text_.append(text_.empty() ? "{\"" : ",\"").append(name).append("\":");
  }
  void append_character(char c) {
    const auto byte = static_cast<std::byte>(c);
    if (byte < std::byte{0x20}) {
      std::array<char, 2> digits{};
      write_hex(byte, digits.begin());
      text_.append("\\u00").append(digits.data(), digits.size());
      return;
    }
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }

  std::string text_;
};

}  // namespace vrm::json
