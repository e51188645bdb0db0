#pragma once

#include <string>
#include <string_view>

namespace vrm::report {

/// A number as people read it.  `unit` is bytes, seconds, percent, or anything else for a plain
/// number.
///
/// Percentages are cut, not rounded, and what is there is not 0: only all is 100 %, and only
/// nothing is 0 %.  Seconds are written as minutes:seconds, and from an hour on as
/// hours:minutes:seconds.
[[nodiscard]] std::string figure(double value, std::string_view unit);

/// A number with so many digits after its point.
[[nodiscard]] std::string fixed(double value, int decimals);

/// Distance of the four lines of a chart that reach over the highest value: a round number of its
/// unit.
[[nodiscard]] double line_distance(double highest, std::string_view unit);

/// A day such as 2026-11-03 as a label, Nov 03, and in words, November 3; anything else as it is.
[[nodiscard]] std::string day_label(std::string_view day);
[[nodiscard]] std::string day_in_words(std::string_view day, bool with_year);

}  // namespace vrm::report
