#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/calls/imports.h"

/// The forms in which sources write times, durations, money, roles and words.
namespace vrm::imports {

/// A decimal number as written, times 10^power, rounded to a whole one, halves up.  Computed in
/// decimal: 1.0005 s is 1001 ms.  Nothing when it is no number or does not fit.
[[nodiscard]] std::optional<std::int64_t> scaled(std::string_view number, int power);

/// ISO 8601 with or without fraction and zone (none is UTC), RFC 2822, or a number: seconds since
/// 1970 below 1e11, else milliseconds.  Nothing when it is none of these or not in 1970 to 9999.
[[nodiscard]] std::optional<moment> parse_moment(std::string_view text);

/// "107.412s", "1500 ms", "2m 5s", "PT2M5.5S", "2:05", "1:02:05.5" or a bare number, which counts
/// in 10^-power seconds times 1000: power 3 for seconds, 0 for milliseconds.
[[nodiscard]] std::optional<length> parse_length(std::string_view text, int power);

/// Lower case, and one "-" between words, whether they were parted by "_", ".", space or a
/// capital letter: "customerEndedCall" and "CUSTOMER_ENDED.CALL" are "customer-ended-call".
[[nodiscard]] std::string folded(std::string_view word);

/// Whether a text fits a pattern in which "*" stands for any text.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text) noexcept;

/// positive, neutral, negative; "none" for words that say nothing; empty for unknown words.
[[nodiscard]] std::string_view sentiment_of(std::string_view word);

/// `unknown` for words of no vocabulary.
[[nodiscard]] speaker_role role_of(std::string_view word);
[[nodiscard]] std::string_view name_of(speaker_role role) noexcept;

/// Characters of a text in UTF-8.
[[nodiscard]] std::size_t characters(std::string_view text) noexcept;

}  // namespace vrm::imports
