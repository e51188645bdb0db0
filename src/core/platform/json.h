#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A JSON reader for what strangers send: tokens, key sets and claims.
///
/// It differs from the libraries in Debian (nlohmann, RapidJSON, Boost.JSON, simdjson) in the one
/// point that matters here: they keep the first or the last of two members of the same name, and
/// two readers that disagree about which one are how claims get forged.  This one refuses the
/// document, at any depth and also when the names are written with different escapes.  It takes
/// RFC 8259 to the letter and less: no NUL in strings, no lone surrogates, no numbers beyond a
/// double, no more than 32 levels.  Bytes over 0x7F pass unread; see is_utf8().
namespace vrm::json {

enum class kind : std::uint8_t { null, boolean, number, string, array, object };

/// One value of the text; everything is a view, nothing is copied before somebody asks.
struct node {
  kind type = kind::null;
  bool escaped = false;   ///< a string that holds escapes
  std::string_view text;  ///< as written; of a string what is between the quotes
  std::size_t end = 0;    ///< index of the first node after this one and all it holds
};

struct member;

/// A value within a document, which has to outlive it.
class value {
 public:
  value(const std::vector<node>& nodes, std::size_t index) noexcept
      : nodes_(&nodes), index_(index) {}

  [[nodiscard]] kind type() const noexcept { return self().type; }
  [[nodiscard]] bool is(kind wanted) const noexcept { return type() == wanted; }
  [[nodiscard]] bool is_true() const noexcept;
  /// The value as it is written in the text; of a string without its quotes.
  [[nodiscard]] std::string_view text() const noexcept { return self().text; }

  /// The string with its escapes resolved to UTF-8; nullopt when this is not a string.
  [[nodiscard]] std::optional<std::string> string() const;
  /// Whether this is that very string.
  [[nodiscard]] bool equals(std::string_view wanted) const;
  /// nullopt when this is not a number.
  [[nodiscard]] std::optional<double> number() const noexcept;

  /// The member of that name; nullopt when there is none or this is not an object.
  [[nodiscard]] std::optional<value> find(std::string_view name) const;
  /// The first member whose name is that one but for capital letters and underscores: of
  /// start_time also startTime and StartTime.
  [[nodiscard]] std::optional<value> find_respelled(std::string_view name) const;
  /// The elements of an array; empty for other values.
  [[nodiscard]] std::vector<value> elements() const;
  /// The members of an object in their order; empty for other values.
  [[nodiscard]] std::vector<member> members() const;

  /// Where the value is in its document, as a JSON pointer (RFC 6901); of the root it is empty.
  [[nodiscard]] std::string pointer() const;

 private:
  [[nodiscard]] const node& self() const noexcept { return (*nodes_)[index_]; }

  const std::vector<node>* nodes_;
  std::size_t index_;
};

/// Its name has its escapes resolved, and so is a copy.
struct member {
  std::string name;
  json::value value;
};

/// A text that was read to its end.  The text has to outlive it.
class document {
 public:
  /// Throws 22P02, with the reason and the position as DETAIL, when it is not JSON as above.
  explicit document(std::string_view text);
  /// What somebody else has read; the nodes are those that the text would have given, but that
  /// arrays and objects may lack their text.
  /// For what was jsonb: no text has to be made for it to be read.
  explicit document(std::vector<node> nodes) noexcept : nodes_(std::move(nodes)) {}

  /// The views below look into this document and into its text.
  [[nodiscard]] value root() const noexcept { return {nodes_, 0}; }

 private:
  std::vector<node> nodes_;
};

/// Replaces what no string may hold, NUL and lone surrogates, by U+FFFD; returns how many.
std::size_t mend(std::string& text);

/// Appends a string with its quotes, escaped where RFC 8259 demands it.
void append_quoted(std::string& out, std::string_view text);
/// Appends a value without white space.
void append(std::string& out, const value& written);

/// Whether the bytes are UTF-8 without overlong forms, surrogates or NUL.
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

}  // namespace vrm::json
