#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/calls/imports.h"

/// Tables that say where in a document what is found, and the readers of single values.
///
/// A table is gone through in order; the first path with a value that is neither null nor an
/// empty text counts, so that alternatives stand one under the other.
namespace vrm::imports {

/// Throws 22023: "/a/0/b must be ...".
[[noreturn]] void mismatch(const json::value& found, std::string_view expected);
[[noreturn]] void missing(const json::value& holder, std::string_view path);

/// What is at a path such as "call/id" below a value; nothing when it is not there, null or "".
/// Where nobody has the name itself, one in another spelling counts: what an SDK hands out as
/// startTime is start_time in the API behind it.
[[nodiscard]] std::optional<json::value> at(const json::value& holder, std::string_view path);
/// Whether something is there under that very name: recognises reports by names that others have
/// in another spelling, as contactId.
[[nodiscard]] bool has(const json::value& holder, std::string_view path);
/// The first of several that is there.
[[nodiscard]] std::optional<json::value> first_at(const json::value& holder,
                                                  std::initializer_list<std::string_view> paths);
/// The text that is there, else an empty one; an error when it is something else.
[[nodiscard]] std::string text_at(const json::value& holder, std::string_view path);
/// Whether that very text is there, in any spelling of words.
[[nodiscard]] bool says(const json::value& holder, std::string_view path, std::string_view word);
/// The elements of an array that is there; an error when it is something else.
[[nodiscard]] std::vector<json::value> elements_at(const json::value& holder,
                                                   std::string_view path);

/// Each throws as mismatch() does when the value is not what it reads.
[[nodiscard]] std::string read_text(const json::value& value);
[[nodiscard]] moment read_moment(const json::value& value);
/// As parse_length(): `power` is 3 for seconds, 0 for milliseconds.
[[nodiscard]] length read_length(const json::value& value, int power);
[[nodiscard]] bool read_truth(const json::value& value);
/// An amount that is not negative, as a JSON number times 10^power.
[[nodiscard]] std::string read_amount(const json::value& value, int power, bool absolute = false);
/// The value as JSON; of a text that is JSON itself what it says.
[[nodiscard]] std::string read_json(const json::value& value, report& into);

/// One of them, set unless it is set already.
template <typename Owner>
struct field {
  std::string_view path;  ///< below the holder, names parted by "/"
  void (*set)(Owner& owner, const json::value& value);
};

namespace detail {

template <typename T>
struct member_pointer;
template <typename Owner, typename Value>
struct member_pointer<Value Owner::*> {
  using owner = Owner;
};
template <auto Member>
using owner_of = typename member_pointer<decltype(Member)>::owner;

}  // namespace detail

template <auto Member>
void text(detail::owner_of<Member>& owner, const json::value& value) {
  if ((owner.*Member).empty()) owner.*Member = read_text(value);
}

template <auto Member>
void time(detail::owner_of<Member>& owner, const json::value& value) {
  if (!(owner.*Member)) owner.*Member = read_moment(value);
}

template <auto Member>
void seconds(detail::owner_of<Member>& owner, const json::value& value) {
  if (!(owner.*Member)) owner.*Member = read_length(value, 3);
}

template <auto Member>
void milliseconds(detail::owner_of<Member>& owner, const json::value& value) {
  if (!(owner.*Member)) owner.*Member = read_length(value, 0);
}

/// A truth is never empty, so that the last path that is there counts, not the first.
template <auto Member>
void truth(detail::owner_of<Member>& owner, const json::value& value) {
  owner.*Member = read_truth(value);
}

/// Sets what the table finds below `holder`.
template <typename Owner>
void fill(Owner& owner, const json::value& holder, std::span<const field<Owner>> fields) {
  for (const auto& [path, set] : fields) {
    if (const auto found = at(holder, path)) set(owner, *found);
  }
}

/// The sentiment in any spelling; an unknown word is counted.
void sentiment(report& into, const json::value& value);
/// A code of ISO 4217, in either case.
void currency(report& into, const json::value& value);
/// A detail of the source that has no place of its own, kept as it is.
void keep(report& into, const json::value& holder, std::string_view path, std::string_view name);
/// The message of a turn; an error when it is longer than turns may be.
[[nodiscard]] std::string read_message(const json::value& value);
/// The latency of one part of a turn, when it is there.
void add_latency(turn& into, const json::value& holder, std::string_view path,
                 std::string_view name, int power);
/// Who speaks; a word of no vocabulary is counted.
void read_role(report& into, turn& said, const json::value& holder, std::string_view path);
void set_role(report& into, turn& said, std::string_view word);
/// Appends a turn as far as it is one: spoken, or interrupted before a word was.
void add_turn(report& into, turn&& said);
/// The action of a call that is paired by this id; a new one when there is none.
/// The reference is good until the next action is added.
[[nodiscard]] action& action_of(report& into, const std::string& id);

/// Whether a customer has said anything.
[[nodiscard]] bool customer_spoke(const report& read) noexcept;
/// resolved or unresolved, where nothing that tells more is known.
void judge(report& into, bool resolved);

/// How a call ended, by the folded word of its source.
struct ending {
  std::string_view pattern;  ///< of the folded word, see matches()
  std::string_view status;
  std::string_view outcome;                ///< empty: nothing is known of it yet
  bool (*holds)(const report&) = nullptr;  ///< what else has to be so
};
/// Sets status and outcome by the first row that fits.
void end_by(report& into, std::string_view word, std::span<const ending> endings);

// --- one file a source ---------------------------------------------------------------------------

/// How reports of one source are told from others', and read.
struct adapter {
  bool (*is_mine)(const json::value& payload);
  std::string_view recognised_by;  ///< in words, for DETAIL
  /// Leaves empty what is not said, and throws as mismatch() does.
  void (*read)(report& into, const json::value& payload);
  /// Where the start stands; empty when a call may do without any time.
  std::string_view starts_at{};  // NOLINT(readability-redundant-member-init): gcc warns
  /// As is_mine, where the id is told beside the document; null where that tells nothing.
  bool (*is_mine_but_for_its_id)(const json::value& payload) = nullptr;
};

extern const adapter generic_adapter, vapi_adapter, retell_adapter, elevenlabs_adapter,
    livekit_adapter, connect_adapter, twilio_adapter;

}  // namespace vrm::imports
