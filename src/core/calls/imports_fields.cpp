// Reads single values out of call reports, and says where one is not what it has to be.
#include "core/calls/imports_fields.h"

#include <algorithm>

#include "core/calls/currencies.h"
#include "core/calls/imports_values.h"
#include "core/platform/error.h"

namespace vrm::imports {
namespace {

// As much as shapes.cpp lets be stored: here the refusal names the place in the report.
constexpr std::size_t longest_text = 1000;
constexpr std::size_t longest_message = 100'000;
constexpr length longest_offset = length{24} * 60 * 60 * 1000;

[[noreturn]] void refuse(const std::string& detail) {
  throw vrm::error("22023", "call report cannot be read")
      .detail(detail)
      .hint("What each source sends and what becomes of it is in doc/calls/imports.md.");
}

/// The whole document, whose pointer is empty, as "/", so that a message does not begin with ":".
std::string name_of_place(const json::value& value) {
  const std::string pointer = value.pointer();
  return pointer.empty() ? "/" : pointer;
}

/// A text or a number, as text; nothing for anything else.
std::optional<std::string> scalar(const json::value& value) {
  if (value.is(json::kind::number)) return std::string(value.text());
  return value.string();
}

/// Goes down a path by `step`, which finds a member.
template <typename Step>
std::optional<json::value> follow(const json::value& holder, std::string_view path, Step step) {
  json::value here = holder;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const auto next = step(here, path.substr(begin, end - begin));
    if (!next || next->is(json::kind::null)) return std::nullopt;
    here = *next;
    begin = end + 1;
  }
  // An empty text says as little as null does.
  if (here.is(json::kind::string) && here.text().empty()) return std::nullopt;
  return here;
}

}  // namespace

void mismatch(const json::value& found, std::string_view expected) {
  refuse(name_of_place(found).append(": must be ").append(expected));
}

void missing(const json::value& holder, std::string_view path) {
  refuse(holder.pointer().append("/").append(path).append(": is required"));
}

std::optional<json::value> at(const json::value& holder, std::string_view path) {
  return follow(holder, path, [](const json::value& here, std::string_view name) {
    const auto exact = here.find(name);
    return exact ? exact : here.find_respelled(name);
  });
}

bool has(const json::value& holder, std::string_view path) {
  return follow(holder, path,
                [](const json::value& here, std::string_view name) { return here.find(name); })
      .has_value();
}

std::optional<json::value> first_at(const json::value& holder,
                                    std::initializer_list<std::string_view> paths) {
  for (const std::string_view path : paths) {
    if (const auto found = at(holder, path)) return found;
  }
  return std::nullopt;
}

std::string text_at(const json::value& holder, std::string_view path) {
  const auto found = at(holder, path);
  return found ? read_text(*found) : std::string();
}

bool says(const json::value& holder, std::string_view path, std::string_view word) {
  const auto found = at(holder, path);
  const auto text = found ? found->string() : std::nullopt;
  return text && folded(*text) == word;
}

std::vector<json::value> elements_at(const json::value& holder, std::string_view path) {
  const auto found = at(holder, path);
  if (found && !found->is(json::kind::array)) mismatch(*found, "an array");
  return found ? found->elements() : std::vector<json::value>();
}

std::string read_text(const json::value& value) {
  const auto text = scalar(value);
  // Characters, as the shapes count, not bytes.
  if (!text || characters(*text) > longest_text)
    mismatch(value, "a text of at most 1000 characters");
  return *text;
}

moment read_moment(const json::value& value) {
  const auto text = scalar(value);
  const auto found = text ? parse_moment(*text) : std::nullopt;
  if (!found) mismatch(value, "a time from 1970 to 9999: ISO 8601, RFC 2822 or seconds since 1970");
  return *found;
}

length read_length(const json::value& value, int power) {
  const auto text = scalar(value);
  const auto found = text ? parse_length(*text, power) : std::nullopt;
  if (!found) mismatch(value, R"(a duration such as 107.4, "107.4s", "1:47" or "PT1M47S")");
  return *found;
}

bool read_truth(const json::value& value) {
  if (value.is(json::kind::boolean)) return value.is_true();
  const auto text = value.string();
  if (text && folded(*text) == "true") return true;
  if (text && folded(*text) == "false") return false;
  mismatch(value, "true or false");
}

constexpr std::int64_t most_amount = 1'000'000'000'000;  // the column has twelve places for it

std::string read_amount(const json::value& value, int power, bool absolute) {
  std::string text = scalar(value).value_or("");
  if (absolute && text.starts_with('-')) text.erase(0, 1);
  const auto whole = scaled(text, power);
  const std::size_t point = text.find('.');
  const bool has_bare_point =
      point != std::string::npos &&
      (point == 0 || point + 1 == text.size() || text[point + 1] < '0' || text[point + 1] > '9');
  if (!whole || text.starts_with('-') || text.size() > 40 || has_bare_point)
    mismatch(value, "an amount that is not negative");
  if (*whole >= most_amount) mismatch(value, "an amount below 1000000000000");
  if (power == 0) return text;
  if (text.find_first_of("eE") != std::string::npos) mismatch(value, "an amount without exponent");
  // As an exponent, so that cents become a currency's units without rounding.
  return text + "e" + std::to_string(power);
}

std::string read_json(const json::value& value, report& into) {
  std::string text;
  if (auto inner = value.string()) {
    const std::size_t mended = json::mend(*inner);
    try {
      // Parsed and written again: what is kept is valid JSON, whatever the text had in it.
      const json::document parsed(*inner);
      json::append(text, parsed.root());
      if (mended > 0) {
        into.notes.push_back(value.pointer() + ": " + std::to_string(mended) +
                             " NUL or lone surrogate replaced");
      }
      return text;
    } catch (const vrm::error&) {
      text.clear();  // an ordinary text, then
    }
  }
  json::append(text, value);
  return text;
}

void sentiment(report& into, const json::value& value) {
  if (!into.sentiment.empty()) return;
  const std::string word = read_text(value);
  const std::string_view known = sentiment_of(word);
  if (known.empty()) into.unknown.push_back({.field = "sentiment", .word = word});
  if (known != "none") into.sentiment = known;
}

void keep(report& into, const json::value& holder, std::string_view path, std::string_view name) {
  const auto found = at(holder, path);
  if (!found ||
      // The first place counts, as in the tables.
      std::ranges::any_of(into.vendor, [&](const auto& kept) { return kept.first == name; }))
    return;
  std::string text;
  json::append(text, *found);
  if (text != "{}" && text != "[]") into.vendor.emplace_back(name, std::move(text));
}

std::string read_message(const json::value& value) {
  auto text = value.string();
  if (!text || characters(*text) > longest_message)
    mismatch(value, "a text of at most 100000 characters");
  return *std::move(text);
}

void add_latency(turn& into, const json::value& holder, std::string_view path,
                 std::string_view name, int power) {
  if (const auto found = at(holder, path)) {
    into.latency.emplace_back(name, read_length(*found, power));
  }
}

void read_role(report& into, turn& said, const json::value& holder, std::string_view path) {
  set_role(into, said, text_at(holder, path));
}

void set_role(report& into, turn& said, std::string_view word) {
  said.role = role_of(word);
  if (said.role != speaker_role::unknown || word.empty()) return;
  into.unknown.push_back({.field = "role", .word = std::string(word)});
  // As the speaker's name it is kept, and looked up where the database has words of its own.
  if (said.speaker.empty()) said.speaker = word;
}

void add_turn(report& into, turn&& said) {
  // Prompts are in transcripts of some sources, but nobody has said them.
  if (said.role == speaker_role::system) return;
  if (said.message.empty() && !said.interrupted) return;
  if (said.end && said.begin && *said.end < *said.begin) {
    // Rather no end than one that would make a negative length of speech.
    said.end.reset();
    into.notes.push_back("turn " + std::to_string(into.turns.size() + 1) +
                         " ended before it began: its end is left out");
  }
  // An offset that large is a moment of the epoch, or in another unit.
  if (said.begin && *said.begin > longest_offset) {
    refuse("turn " + std::to_string(into.turns.size() + 1) +
           " begins more than 24 hours after the call");
  }
  into.turns.push_back(std::move(said));
}

action& action_of(report& into, const std::string& id) {
  const std::size_t next = into.actions.size();
  const std::size_t place =
      // Results may come before their calls, or without one: whichever is first makes the action.
      id.empty() ? next : into.action_places.try_emplace(id, next).first->second;
  if (place == next) into.actions.emplace_back().id = id;
  return into.actions[place];
}

void currency(report& into, const json::value& value) {
  std::string code = read_text(value);
  for (char& c : code) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (!is_currency(code)) mismatch(value, "a currency of ISO 4217");
  if (into.currency.empty()) into.currency = code;
}

// A turn that was interrupted before a word is not one of speaking.
bool customer_spoke(const report& read) noexcept {
  return std::ranges::any_of(read.turns, [](const turn& said) {
    return said.role == speaker_role::customer && !said.message.empty();
  });
}

void judge(report& into, bool resolved) {
  if (into.outcome.empty()) into.outcome = resolved ? "resolved" : "unresolved";
}

void end_by(report& into, std::string_view word, std::span<const ending> endings) {
  for (const ending& row : endings) {
    if (!matches(row.pattern, word) || (row.holds != nullptr && !row.holds(into))) continue;
    into.status = row.status;
    into.outcome = row.outcome;
    return;
  }
}

}  // namespace vrm::imports
