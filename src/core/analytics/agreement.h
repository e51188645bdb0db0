#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vrm {

/// How far judges agree beyond what chance would have: 1 is always, 0 as often as by chance.
/// Nothing where chance alone would have them agree: all that was said is one and the same.

/// Two judges of the same things, a word each; what one of them did not judge does not count.
/// Source: Cohen, Educational and Psychological Measurement 20 (1960).
[[nodiscard]] std::optional<double> cohen_kappa(std::span<const std::optional<std::string_view>> a,
                                                std::span<const std::optional<std::string_view>> b);

/// What a difference of two values counts.
enum class measurement : std::uint8_t { nominal, ordinal, interval, ratio };

/// "nominal", "ordinal", "interval", "ratio"; nothing for another word.
[[nodiscard]] std::optional<measurement> measurement_of(std::string_view name) noexcept;

/// Any number of judges: `ratings` has a row of `units` values for each, finite or missing.  Of a
/// ratio, values are not negative and time grows with the square of their number.
/// Source: Krippendorff, Computing Krippendorff's Alpha-Reliability (2011).
/// `units` is at least 1 and divides the number of ratings.
[[nodiscard]] std::optional<double> krippendorff_alpha(
    std::span<const std::optional<double>> ratings, std::size_t units, measurement level);

}  // namespace vrm
