// Statistics of test runs as SQL functions: what they refuse, and how the refusal reads.
#include "core/analytics/estimators.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "boundary/call/function.h"
#include "boundary/value/array.h"
#include "boundary/value/nullable_array.h"
#include "boundary/value/record.h"
#include "core/analytics/agreement.h"
#include "core/analytics/exact_tests.h"
#include "core/platform/error.h"

namespace vrm::sql {
namespace {

/// More than anybody runs; up to here every answer takes at most milliseconds.
constexpr std::int64_t most_runs = 2'000'000'000;

void check_count(const char* name, std::int64_t count, std::int64_t least, std::int64_t most,
                 const char* example) {
  if (count >= least && count <= most) return;
  throw error("22023", std::string(name) + " must be from " + std::to_string(least) + " to " +
                           std::to_string(most))
      .detail("Got " + std::to_string(count) + ".")
      .hint(example);
}

/// The shortest text that tells it from all others.
std::string shown(double value) {
  std::array<char, 32> digits{};
  const auto written = std::to_chars(digits.begin(), digits.end(), value);
  return {digits.begin(), written.ptr};
}

/// Between 0 and 1, and neither.
void check_fraction(const char* name, double value, const char* example) {
  if (value > 0 && value < 1) return;
  throw error("22023", std::string(name) + " must be between 0 and 1")
      .detail("Got " + shown(value) + ".")
      .hint(example);
}

void check_probability(const char* name, double value, const char* example) {
  if (value >= 0 && value <= 1) return;
  throw error("22023", std::string(name) + " must be from 0 to 1")
      .detail("Got " + shown(value) + ".")
      .hint(example);
}

void check_runs(std::int64_t runs, std::int64_t passed, std::int64_t k, const char* example) {
  check_count("runs", runs, 1, most_runs, example);
  check_count("passed", passed, 0, runs, example);
  check_count("k", k, 1, runs, example);
}

}  // namespace

double pass_at_k(std::int64_t runs, std::int64_t passed, std::int64_t k) {
  check_runs(runs, passed, k, "SELECT vrm.pass_at_k(runs => 5, passed => 3, k => 2);");
  return vrm::pass_at_k(runs, passed, k);
}

double pass_hat_k(std::int64_t runs, std::int64_t passed, std::int64_t k) {
  check_runs(runs, passed, k, "SELECT vrm.pass_hat_k(runs => 5, passed => 3, k => 2);");
  return vrm::pass_hat_k(runs, passed, k);
}

pg::record<double, double> wilson_interval(std::int64_t passed, std::int64_t runs, double level) {
  constexpr const char* example = "SELECT * FROM vrm.wilson_interval(passed => 3, runs => 5);";
  check_count("runs", runs, 1, most_runs, example);
  check_count("passed", passed, 0, runs, example);
  check_fraction("level", level, example);
  const interval found = vrm::wilson_interval(passed, runs, level);
  return {found.lower, found.upper};
}

double mcnemar_exact(std::int64_t only_a, std::int64_t only_b) {
  constexpr const char* example = "SELECT vrm.mcnemar_exact(only_a => 9, only_b => 1);";
  check_count("only_a", only_a, 0, most_runs, example);
  check_count("only_b", only_b, 0, most_runs, example);
  return vrm::mcnemar_exact(only_a, only_b);
}

double fisher_exact(std::int64_t passed_a, std::int64_t runs_a, std::int64_t passed_b,
                    std::int64_t runs_b) {
  constexpr const char* example = "SELECT vrm.fisher_exact(5, 5, 1, 5);";
  // One term for each run: as many as take milliseconds.
  constexpr std::int64_t most = 100'000;
  check_count("runs_a", runs_a, 0, most, example);
  check_count("passed_a", passed_a, 0, runs_a, example);
  check_count("runs_b", runs_b, 0, most, example);
  check_count("passed_b", passed_b, 0, runs_b, example);
  return vrm::fisher_exact(passed_a, runs_a, passed_b, runs_b);
}

double mann_whitney(pg::float8_array a, pg::float8_array b) {
  for (const auto sample : {a.elements(), b.elements()}) {
    for (const double value : sample) {
      // NaN has no place in an order: ranks would be as sorting happens to leave them.
      if (std::isfinite(value)) continue;
      throw error("22023", "values must be finite")
          .detail("Got " + shown(value) + ".")
          .hint("SELECT vrm.mann_whitney('{1.2, 1.4, 1.1}', '{2.2, 1.9, 2.4}');");
    }
  }
  return vrm::mann_whitney(a.elements(), b.elements());
}

pg::float8_elements holm_adjusted(pg::nullable_float8_array p_values) {
  constexpr const char* example = "SELECT vrm.holm_adjusted('{0.01, 0.04, 0.03}');";
  std::vector<double> given;
  for (const auto& p : p_values.elements()) {
    if (!p) {
      throw error("22004", "p-values must not be null").hint(example);
    }
    check_probability("p-values", *p, example);
    given.push_back(*p);
  }
  return {vrm::holm_adjusted(given)};
}

std::optional<double> cohen_kappa(pg::nullable_text_array a, pg::nullable_text_array b) {
  const auto of_a = a.elements();
  const auto of_b = b.elements();
  if (of_a.size() != of_b.size()) {
    throw error("22023", "both judges must have judged the same things")
        .detail(std::to_string(of_a.size()) + " judgements and " + std::to_string(of_b.size()) +
                ".")
        .hint(
            "Null stands for what a judge did not judge: SELECT vrm.cohen_kappa('{yes, no, yes}', "
            "'{yes, no, null}');");
  }
  return vrm::cohen_kappa(of_a, of_b);
}

std::optional<double> krippendorff_alpha(pg::nullable_float8_array ratings,
                                         std::string_view level) {
  constexpr const char* example =
      "SELECT vrm.krippendorff_alpha('{{1, 2, 3}, {1, 2, null}}', 'ordinal');";
  const auto measured = measurement_of(level);
  if (!measured) {
    throw error("22023", "level must be nominal, ordinal, interval or ratio")
        .detail("Got \"" + std::string(level) + "\".")
        .hint(example);
  }
  const auto dimensions = ratings.dimensions();
  // An empty array, and so no pair of ratings to compare.
  if (dimensions.empty()) return std::nullopt;
  if (dimensions.size() != 2) {
    throw error("22023", "ratings must be an array of two dimensions")
        .detail("It has " + std::to_string(dimensions.size()) + ".")
        .hint(std::string("A row is a judge: ") + example);
  }
  const auto values = ratings.elements();
  constexpr std::size_t most_of_ratio = 10'000;  // pairs of them are compared
  if (*measured == measurement::ratio && values.size() > most_of_ratio) {
    throw error("54000", "too many ratings on a ratio scale")
        .detail("There are " + std::to_string(values.size()) + ", at most " +
                std::to_string(most_of_ratio) + " are compared.")
        .hint("SELECT vrm.krippendorff_alpha(ratings, 'interval'); takes any number.");
  }
  for (const auto& value : values) {
    if (!value) continue;
    if (!std::isfinite(*value) || (*measured == measurement::ratio && *value < 0)) {
      throw error("22023", *measured == measurement::ratio ? "ratings must be finite, from 0"
                                                           : "ratings must be finite")
          .detail("Got " + shown(*value) + ".")
          .hint(example);
    }
  }
  return vrm::krippendorff_alpha(values, static_cast<std::size_t>(dimensions[1]), *measured);
}

std::int64_t repeats_needed(double p1, double p2, double level, double power) {
  constexpr const char* example =
      "SELECT vrm.repeats_needed(0.9, 0.7, level => 0.95, power => 0.8);";
  check_probability("p1", p1, example);
  check_probability("p2", p2, example);
  check_fraction("level", level, example);
  check_fraction("power", power, example);
  if (std::abs(p1 - p2) < 1e-6) {
    throw error("22023", "p1 and p2 must differ")
        .detail("Both are " + shown(p1) + ": no number of runs tells them apart.")
        .hint(example);
  }
  // Who says 0.05 means the significance level: nobody asks for a confidence of 5 %.
  return static_cast<std::int64_t>(vrm::repeats_needed(p1, p2, std::max(level, 1 - level), power));
}

}  // namespace vrm::sql

PG_EXPORT(vrm_pass_at_k, vrm::sql::pass_at_k);
PG_EXPORT(vrm_pass_hat_k, vrm::sql::pass_hat_k);
PG_EXPORT(vrm_wilson_interval, vrm::sql::wilson_interval);
PG_EXPORT(vrm_mcnemar_exact, vrm::sql::mcnemar_exact);
PG_EXPORT(vrm_fisher_exact, vrm::sql::fisher_exact);
PG_EXPORT(vrm_mann_whitney, vrm::sql::mann_whitney);
PG_EXPORT(vrm_holm_adjusted, vrm::sql::holm_adjusted);
PG_EXPORT(vrm_cohen_kappa, vrm::sql::cohen_kappa);
PG_EXPORT(vrm_krippendorff_alpha, vrm::sql::krippendorff_alpha);
PG_EXPORT(vrm_repeats_needed, vrm::sql::repeats_needed);
