// The shape of test_cases.evaluator_metrics, and the words in which a document is refused.
#include "core/testing/evaluation.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/platform/error.h"
#include "core/platform/json.h"
#include "core/testing/pattern.h"

namespace vrm {
namespace {

using json::kind;
using json::value;

constexpr std::size_t longest_name = 200;

[[noreturn]] void refuse(const std::string& place, std::string_view reason) {
  throw error("22023", "evaluator_metrics are not valid")
      .detail(place.empty() ? std::string(reason) : place + ": " + std::string(reason))
      .hint("SELECT vrm.evaluator_metrics_error(...) tells whether a document is valid.");
}

/// A text of 1 to so many characters.  They are counted as those of UTF-8; in another encoding some
/// may go uncounted, hence the limit of bytes.
bool has_length(std::string_view text, std::size_t most) {
  constexpr std::size_t longest_character = 4;
  const auto is_first_byte = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  };
  return !text.empty() && text.size() <= most * longest_character &&
         static_cast<std::size_t>(std::ranges::count_if(text, is_first_byte)) <= most;
}

/// An object of the document, and where it is.
class object_at {
 public:
  object_at(value object, std::string place) : object_(object), place_(std::move(place)) {
    if (!object_.is(kind::object)) refuse(place_, "must be an object");
  }

  [[nodiscard]] std::string place(std::string_view member) const {
    return place_ + "/" + std::string(member);
  }
  /// A member that is misspelled would be one that is missing, and the check a weaker one.
  void allow_only(std::initializer_list<std::string_view> known) const {
    for (const auto& [name, ignored] : object_.members()) {
      if (name != "check" && name != "name" && std::ranges::find(known, name) == known.end()) {
        refuse(place(name), "is no member of this check");
      }
    }
  }
  /// Null counts as absent.
  [[nodiscard]] std::optional<value> find(std::string_view member) const {
    auto found = object_.find(member);
    if (found && found->is(kind::null)) return std::nullopt;
    return found;
  }

  [[nodiscard]] std::optional<std::string> text(std::string_view member, std::size_t most) const {
    const auto found = find(member);
    if (!found) return std::nullopt;
    auto text = found->string();
    if (!text || !has_length(*text, most)) {
      refuse(place(member), "must be a string of 1 to " + std::to_string(most) + " characters");
    }
    return text;
  }
  [[nodiscard]] std::string required_text(std::string_view member, std::size_t most) const {
    auto found = text(member, most);
    if (!found) refuse(place(member), "is required");
    return *std::move(found);
  }
  [[nodiscard]] std::optional<double> number(std::string_view member, double least, double most,
                                             std::string_view reason) const {
    const auto found = find(member);
    if (!found) return std::nullopt;
    const auto number = found->number();
    if (!number || !(*number >= least && *number <= most)) refuse(place(member), reason);
    return number;
  }
  [[nodiscard]] bool is_true(std::string_view member) const {
    const auto found = find(member);
    if (found && !found->is(kind::boolean)) refuse(place(member), "must be true or false");
    return found && found->is_true();
  }
  [[nodiscard]] std::vector<value> array(std::string_view member, std::size_t most) const {
    const auto found = find(member);
    if (!found) return {};
    if (!found->is(kind::array)) refuse(place(member), "must be an array");
    auto elements = found->elements();
    if (elements.size() > most) {
      refuse(place(member), "must have at most " + std::to_string(most) + " elements");
    }
    return elements;
  }

 private:
  value object_;
  std::string place_;
};

// --- metrics ------------------------------------------------------------------------------------

/// A metric by its name alone is asked for, and decides nothing.
judged_metric read_metric(const value& element, const std::string& place) {
  judged_metric read;
  if (const auto name = element.string()) {
    if (!has_length(*name, longest_name)) {
      refuse(place, "must be the name or id of a metric, of 1 to 200 characters");
    }
    read.metric = *name;
    return read;
  }
  const object_at object(element, place);
  read.metric = object.required_text("metric", longest_name);
  read.decides = object.is_true("decides");
  constexpr double any = 1e300;
  read.threshold = object.number("threshold", -any, any, "must be a number");
  constexpr double heaviest = 1000;
  read.weight =
      // Not 0: what has passed is a part of the sum of the weights.
      object.number("weight", 1e-3, heaviest, "must be a number from 0.001 to 1000").value_or(1);
  return read;
}

// --- checks -------------------------------------------------------------------------------------

struct kind_name {
  std::string_view name;
  check::kind kind;
};

constexpr std::array<kind_name, 8> kind_names = {{
    {.name = "said", .kind = check::kind::said},
    {.name = "not_said", .kind = check::kind::not_said},
    {.name = "tool_called", .kind = check::kind::tool_called},
    {.name = "tool_not_called", .kind = check::kind::tool_not_called},
    {.name = "tool_order", .kind = check::kind::tool_order},
    {.name = "ended_within", .kind = check::kind::ended_within},
    {.name = "answer_time", .kind = check::kind::answer_time},
    {.name = "no_interruption", .kind = check::kind::no_interruption},
}};

check::kind read_kind(const object_at& object) {
  const std::string name = object.required_text("check", longest_name);
  const auto* const found = std::ranges::find(kind_names, name, &kind_name::name);
  if (found == kind_names.end()) {
    refuse(object.place("check"),
           "must be said, not_said, tool_called, tool_not_called, tool_order, ended_within, "
           "answer_time or no_interruption");
  }
  return found->kind;
}

/// Of the agent where nothing is said: it is the agent that is tested.
check::voice read_voice(const object_at& object) {
  const auto name = object.text("by", longest_name);
  if (!name || *name == "agent") return check::voice::agent;
  if (*name == "customer") return check::voice::customer;
  if (*name != "anybody") refuse(object.place("by"), "must be agent, customer or anybody");
  return check::voice::anybody;
}

/// Such as would take long to compile, or cannot be told from them.
void check_pattern(const std::string& place, std::string_view pattern) {
  if (has_other_syntax(pattern)) {
    refuse(place, "must be written in the ordinary syntax, without ***, (?x), (?e), (?b) or (?q)");
  }
  if (optional_parts(pattern) > most_optional_parts) {
    refuse(place, "is too complex: more than " + std::to_string(most_optional_parts) +
                      " parts may be left out, once repetitions are written out");
  }
}

void read_words(const object_at& object, check& read) {
  object.allow_only({"text", "pattern", "by"});
  read.by = read_voice(object);
  const auto text = object.text("text", longest_pattern);
  const auto pattern = object.text("pattern", longest_pattern);
  if (text.has_value() == pattern.has_value()) {
    refuse(object.place("text"), "must be there, or else a pattern");
  }
  if (pattern) check_pattern(object.place("pattern"), *pattern);
  read.is_pattern = pattern.has_value();
  read.text = pattern ? *pattern : *text;
}

void read_tool(const object_at& object, check& read) {
  object.allow_only({"tool", "arguments"});
  read.tool = object.required_text("tool", longest_name);
  const auto arguments = object.find("arguments");
  if (!arguments) return;
  if (!arguments->is(kind::object)) refuse(object.place("arguments"), "must be an object");
  // As written: whoever compares arguments parses them.
  read.arguments = arguments->text();
}

void read_tools(const object_at& object, check& read) {
  object.allow_only({"tools"});
  std::size_t index = 0;
  for (const value& element : object.array("tools", most_checks)) {
    auto name = element.string();
    if (!name || !has_length(*name, longest_name)) {
      refuse(object.place("tools/") + std::to_string(index),
             "must be a string of 1 to 200 characters");
    }
    read.tools.push_back(*std::move(name));
    ++index;
  }
  if (read.tools.size() < 2) refuse(object.place("tools"), "must be an array of at least two");
}

/// `scale` is how many milliseconds the member counts in.
void read_limit(const object_at& object, std::string_view member, double scale, check& read) {
  object.allow_only({member});
  constexpr double longest = 86'400'000;  // a day
  const std::string most = std::to_string(static_cast<std::int64_t>(longest / scale));
  const auto limit =
      object.number(member, 0, longest / scale, "must be a number from 0 to " + most);
  if (!limit) refuse(object.place(member), "is required");
  read.most = static_cast<std::int64_t>(std::llround(*limit * scale));
}

/// For messages, when the document gives none: "said: goodbye".
std::string described(std::string_view kind, const check& read) {
  std::string subject = read.tool.empty() ? read.text : read.tool;
  for (const std::string& tool : read.tools) subject += (subject.empty() ? "" : ", ") + tool;
  constexpr std::size_t enough = 80;
  if (subject.size() > enough) {
    std::size_t end = enough;  // not within a character
    while (end > 0 && (static_cast<unsigned char>(subject[end]) & 0xC0U) == 0x80U) --end;
    subject.resize(end);
    subject += "...";
  }
  return std::string(kind) + (subject.empty() ? "" : ": " + subject);
}

check read_check(const value& element, const std::string& place) {
  const object_at object(element, place);
  check read;
  read.type = read_kind(object);
  switch (read.type) {
    case check::kind::said:
    case check::kind::not_said:
      read_words(object, read);
      break;
    case check::kind::tool_called:
    case check::kind::tool_not_called:
      read_tool(object, read);
      break;
    case check::kind::tool_order:
      read_tools(object, read);
      break;
    case check::kind::ended_within:
      read_limit(object, "seconds", 1000, read);
      break;
    case check::kind::answer_time:
      read_limit(object, "p95", 1, read);
      break;
    case check::kind::no_interruption:
      object.allow_only({});
      break;
  }
  // The document's own name, else what tells it from others of its kind.
  const auto name = object.text("name", longest_name);
  const auto* const kind = std::ranges::find(kind_names, read.type, &kind_name::kind);
  read.name = name ? *name : described(kind->name, read);
  return read;
}

template <typename Element>
std::vector<Element> read_all(const std::vector<value>& elements, const std::string& place,
                              Element (*read)(const value&, const std::string&)) {
  std::vector<Element> all;
  all.reserve(elements.size());
  for (const value& element : elements) {
    all.push_back(read(element, place + "/" + std::to_string(all.size())));
  }
  return all;
}

}  // namespace

evaluation read_evaluation(std::string_view document) {
  const json::document parsed(document);
  const value root = parsed.root();
  evaluation read;
  if (root.is(kind::null)) return read;
  if (root.is(kind::array)) {
    const auto elements = root.elements();
    if (elements.size() > most_checks) refuse("", "must have at most 100 elements");
    read.metrics = read_all(elements, "", read_metric);
    return read;
  }
  if (!root.is(kind::object)) refuse("", "must be an array or an object");
  const object_at object(root, "");
  read.metrics = read_all(object.array("metrics", most_checks), "/metrics", read_metric);
  read.threshold = object.number("threshold", 0, 1, "must be a number from 0 to 1");
  read.checks = read_all(object.array("checks", most_checks), "/checks", read_check);
  return read;
}

}  // namespace vrm
