#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vrm {

/// What a call with a test case is judged by: test_cases.evaluator_metrics, read.  A document is an
/// array of metrics, as ever, or an object with `metrics`, `threshold` and `checks`; members that
/// are not known may be there and hold anything.

/// A rule that the transcript itself answers.
struct check {
  enum class kind : std::uint8_t {
    said,
    not_said,
    tool_called,
    tool_not_called,
    tool_order,
    ended_within,
    answer_time,
    no_interruption,
  };
  /// Who has to have said it.
  enum class voice : std::uint8_t { agent, customer, anybody };

  kind type = kind::said;
  std::string name;         ///< what people call it, else its kind and what it looks for
  voice by = voice::agent;  ///< of whom said() asks
  std::string text;         ///< what is said: a text, or
  bool is_pattern = false;  ///< a regular expression
  std::string tool;
  std::string arguments;  ///< that the call of the tool has among others, as JSON; or empty
  std::vector<std::string> tools;  ///< in this order, others between them or not
  std::int64_t most = 0;           ///< milliseconds
};

/// A metric that judges, and people, answer.
struct judged_metric {
  std::string metric;               ///< name or id
  bool decides = false;             ///< whether the case fails when this metric does
  std::optional<double> threshold;  ///< of its score
  double weight = 1;
};

/// What is asked of a call, in the order of the document.
struct evaluation {
  std::vector<judged_metric> metrics;
  std::optional<double> threshold;  ///< of the weights of what has passed, as a part of all
  std::vector<check> checks;
};

/// Of a document, and as many metrics: they are all looked at for each call.
constexpr std::size_t most_checks = 100;
constexpr std::size_t longest_pattern = 1000;  ///< and text, in characters
constexpr std::size_t most_optional_parts = 250;

/// Reads a document.  Throws vrm::error 22023 whose DETAIL names the place, such as
/// "/checks/2/pattern: must be a string of 1 to 1000 characters".
[[nodiscard]] evaluation read_evaluation(std::string_view document);

}  // namespace vrm
