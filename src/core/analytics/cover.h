#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace vrm {

/// Moments in microseconds, days and their quarters of an hour, all in UTC and counted from
/// 2000-01-01; the ends of the scale are infinite.
using moment = std::int64_t;
using day_number = std::int32_t;

constexpr moment no_begin = std::numeric_limits<moment>::min();
constexpr moment no_end = std::numeric_limits<moment>::max();
constexpr day_number first_of_days = std::numeric_limits<day_number>::min();
constexpr day_number last_of_days = std::numeric_limits<day_number>::max();

/// What has changed since statistics were made in advance.
struct changed_quarter {
  static constexpr std::int32_t whole_day = -1;
  static constexpr std::int32_t parts_alone = -2;  ///< the day's are right, its quarters' not made
  day_number day;
  std::int32_t quarter;  ///< from 0 to 95, or one of the above
};

/// From what to make statistics of a time that edges cut into buckets, counted from 1.
struct cover {
  /// Whole days, or whole months, whose statistics are ready.
  struct range {
    std::int32_t bucket;
    bool months;
    day_number first;
    day_number last;  ///< excluded
  };
  /// Quarters of a day whose statistics are ready.
  struct part {
    std::int32_t bucket;
    day_number day;
    std::int32_t since;
    std::int32_t until;  ///< excluded
  };
  /// A time whose facts are to be read, of any number of buckets.
  struct span {
    moment since;
    moment until;  ///< excluded
  };

  std::vector<range> ranges;
  std::vector<part> parts;
  std::vector<span> spans;

  /// Of edges and changes in ascending order.
  cover(std::span<const moment> edges, std::span<const changed_quarter> changes);
};

}  // namespace vrm
