#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vrm {

/// What a JSON document has to look like, as data that the compiler lays out; doc/calls/shapes.md
/// tells it to people.  Members that a shape does not name may be there and hold anything.

struct member;

/// What one value has to be; constexpr data throughout.
struct shape {
  enum class kind : std::uint8_t {
    string,
    string_or_null,
    whole_number,
    number,
    boolean,
    array,
    object,
    anything
  };

  kind type = kind::string;
  std::size_t most = std::numeric_limits<std::size_t>::max();  ///< characters, or the number
  bool (*accepts)(std::string_view) = nullptr;                 ///< what else a string has to be ...
  const char* accepted = nullptr;                              ///< ... in words
  const shape* element = nullptr;  ///< of an array, or each member of an object
  /// of an object: shorter names first, then by byte
  std::span<const member> members{};  // NOLINT(readability-redundant-member-init): gcc warns
};

/// A member that a shape names.
struct member {
  std::string_view name;
  const shape* value;
  bool required = false;
  /// not required when there is a member of this name
  std::string_view unless{};  // NOLINT(readability-redundant-member-init): gcc warns
};

/// The order in which objects are walked: that of jsonb.
[[nodiscard]] constexpr bool precedes(std::string_view left, std::string_view right) noexcept {
  return left.size() != right.size() ? left.size() < right.size() : left < right;
}

/// agents.connection_details
extern const shape connection_details_shape;

/// test_runs.results
extern const shape results_shape;

/// What vrm.append_turns() takes.
extern const shape new_turns_shape;

/// Where a value is in its document; each place lives in the frame of the walk that made it.
struct place {
  const place* parent = nullptr;  ///< none: the document itself
  const member* named = nullptr;  ///< of an object
  std::size_t index = 0;          ///< of an array, otherwise
};

/// The place as JSON pointer (RFC 6901), such as "/transcript/3/speaker".
[[nodiscard]] std::string json_pointer(const place& where);

/// "must be a string of at most 200 characters"
[[nodiscard]] std::string expectation(const shape& expected);

/// The seconds of a duration written m:ss or h:mm:ss; nothing when it is not so written.
[[nodiscard]] std::optional<std::int64_t> duration_seconds(std::string_view text) noexcept;

}  // namespace vrm
