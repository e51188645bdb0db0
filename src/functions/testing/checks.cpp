// Judges calls by what their test cases ask for, as far as the transcript itself can tell.
#include "core/testing/checks.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/value/jsonb.h"
#include "boundary/value/record.h"
#include "boundary/value/regular_expression.h"
#include "core/calls/shapes.h"
#include "core/calls/speakers.h"
#include "core/platform/error.h"

namespace vrm::sql {
namespace {

std::string text_of(pg::jsonb document) {
  const char* const text = pg::guarded(
      [&] { return JsonbToCString(nullptr, const_cast<JsonbContainer*>(document.container), 0); });
  return text;
}

// --- the transcript -----------------------------------------------------------------------------

/// As figures have it: words of no vocabulary are a customer's.  Those that a database has added
/// stand as roles in the documents of calls that ended since.
check::voice voice_of(std::string_view speaker) {
  switch (role_of_speaker(speaker).value_or(speaker_role::customer)) {
    case speaker_role::agent:
      return check::voice::agent;
    case speaker_role::customer:
      return check::voice::customer;
    case speaker_role::tool:
    case speaker_role::system:
      break;
  }
  return check::voice::anybody;
}

std::optional<std::string_view> text_in(const pg::jsonb_value& value) {
  if (value.kind() != pg::jsonb_kind::string) return std::nullopt;
  return value.text();
}

std::optional<std::int64_t> number_in(const pg::jsonb_value& value) {
  if (value.kind() != pg::jsonb_kind::number) return std::nullopt;
  return value.whole_number();
}

constexpr std::int64_t milliseconds = 1000;  ///< in a second

std::optional<std::int64_t> clock_in(const pg::jsonb_value& value) {
  const auto text = text_in(value);
  if (!text) return std::nullopt;
  const auto seconds = duration_seconds(*text);
  if (!seconds) return std::nullopt;
  return *seconds * milliseconds;
}

/// `ms` counts before `time`, `role` before `speaker`: what is more exact.
spoken_turn read_turn(const pg::jsonb_value& element) {
  spoken_turn turn;
  std::optional<std::int64_t> clock;
  std::optional<std::string_view> speaker;
  std::optional<std::string_view> role;
  for (const auto& [name, value] : element.members()) {
    if (name == "ms") turn.begin = number_in(value);
    if (name == "endMs") turn.end = number_in(value);
    if (name == "time") clock = clock_in(value);
    if (name == "role") role = text_in(value);
    if (name == "speaker") speaker = text_in(value);
    if (name == "message") turn.text = text_in(value).value_or("");
    if (name == "interrupted") turn.interrupted = value.is_true();
  }
  if (!turn.begin) turn.begin = clock;
  turn.by = voice_of(role ? *role : speaker.value_or(""));
  return turn;
}

/// A call, and the arguments of its tools in the same order.
struct recorded_call {
  transcript heard;
  std::vector<std::optional<pg::jsonb_value>> arguments;
};

void read_tools(const pg::jsonb_value& actions, recorded_call& call) {
  for (const pg::jsonb_value action : actions.elements()) {
    if (action.kind() != pg::jsonb_kind::object) continue;
    std::string_view tool;
    std::optional<pg::jsonb_value> arguments;
    for (const auto& [name, value] : action.members()) {
      if (name == "action") tool = text_in(value).value_or("");
      if (name == "arguments" && value.kind() == pg::jsonb_kind::object) arguments = value;
    }
    call.heard.tools.push_back(tool);
    call.arguments.push_back(arguments);
  }
}

recorded_call read_results(std::optional<pg::jsonb> results) {
  recorded_call call;
  if (!results || results->root().kind() != pg::jsonb_kind::object) return call;
  for (const auto& [name, value] : results->root().members()) {
    if (name == "duration") call.heard.duration = clock_in(value);
    if (value.kind() != pg::jsonb_kind::array) continue;
    if (name == "actionsTaken") read_tools(value, call);
    if (name != "transcript") continue;
    for (const pg::jsonb_value turn : value.elements()) {
      if (turn.kind() == pg::jsonb_kind::object) call.heard.turns.push_back(read_turn(turn));
    }
  }
  return call;
}

// --- what the core asks PostgreSQL for ----------------------------------------------------------

/// Texts in any case of letters, patterns as they are written.
class postgres_matching : public matching {
 public:
  /// Views into both, which outlive it; patterns are compiled when they are first asked for.
  postgres_matching(const evaluation& read, const recorded_call& call)
      : read_(&read), call_(&call), expressions_(read.checks.size()) {}

  std::string problem(std::size_t index) override {
    auto& expression = compiled(index);
    // Before problem(): they compile well, but matching one may take for ever.
    if (expression.looks_back()) return "back references are not allowed: they have no bound";
    return expression.problem();
  }
  bool occurs(std::size_t index, std::string_view turn) override {
    pg::check_for_interrupts();
    return compiled(index).occurs(turn);
  }
  bool arguments_fit(std::size_t index, std::size_t tool) override {
    const auto& found = call_->arguments[tool];
    if (!found) return false;
    const char* const text = read_->checks[index].arguments.c_str();
    const auto wanted = pg::guarded([&] {
      return pg::datum_traits<pg::jsonb>::from(
          DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
    });
    return found->contains(wanted.root());
  }

 private:
  pg::regular_expression& compiled(std::size_t index) {
    auto& expression = expressions_[index];
    if (!expression) {
      const check& asked = read_->checks[index];
      // REG_QUOTE takes the text as it is: none of its characters is an operator.
      const int flags = asked.is_pattern ? REG_ADVANCED : REG_QUOTE | REG_ICASE;
      expression = std::make_unique<pg::regular_expression>(asked.text, flags);
    }
    return *expression;
  }

  const evaluation* read_;
  const recorded_call* call_;
  std::vector<std::unique_ptr<pg::regular_expression>> expressions_;
};

std::string in_quotes(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    // Control characters, which JSON would have escaped, are of no use in a reason.
    if (static_cast<unsigned char>(c) >= 0x20) {
      json += c;
    } else {
      json += ' ';
    }
  }
  return json + '"';
}

std::optional<std::string> pattern_error(const evaluation& read) {
  const recorded_call none;
  postgres_matching match(read, none);
  for (std::size_t i = 0; i < read.checks.size(); ++i) {
    if (!read.checks[i].is_pattern) continue;
    const std::string problem = match.problem(i);
    if (problem.empty()) continue;
    return "/checks/" + std::to_string(i) + "/pattern: " + problem;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> evaluator_metrics_error(pg::jsonb document) {
  try {
    return pattern_error(read_evaluation(text_of(document)));
  } catch (const error& refused) {
    return refused.detail();
  }
}

/// What fails, as [{"check": ..., "reason": ...}]; null when the document asks for no checks.
std::optional<pg::jsonb_text> failed_checks(std::optional<pg::jsonb> evaluator_metrics,
                                            std::optional<pg::jsonb> results) {
  if (!evaluator_metrics) return std::nullopt;
  const evaluation read = read_evaluation(text_of(*evaluator_metrics));
  if (read.checks.empty()) return std::nullopt;
  const recorded_call call = read_results(results);
  postgres_matching match(read, call);
  std::string json;
  for (const failed_check& failed : vrm::failed_checks(read.checks, call.heard, match)) {
    json += json.empty() ? "[" : ", ";
    json += "{\"check\": " + in_quotes(read.checks[failed.index].name) +
            ", \"reason\": " + in_quotes(failed.reason) + "}";
  }
  return pg::jsonb_text{json.empty() ? "[]" : json + "]"};
}

/// The answering time, in ms, that so much of a call's answers do not exceed.
std::optional<double> answering_time(pg::jsonb results, double fraction) {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw error("22023", "fraction must be from 0 to 1")
        .hint("SELECT vrm.answering_time(results, 0.95) FROM vrm.test_runs;");
  }
  const auto found = nearest_rank(answering_times(read_results(results).heard.turns), fraction);
  if (!found) return std::nullopt;
  return static_cast<double>(*found);
}

}  // namespace vrm::sql

PG_EXPORT(vrm_evaluator_metrics_error, vrm::sql::evaluator_metrics_error);
PG_EXPORT(vrm_failed_checks, vrm::sql::failed_checks);
PG_EXPORT(vrm_answering_time, vrm::sql::answering_time);
