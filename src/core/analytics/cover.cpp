// A time is cut where quarters of an hour, days and months begin; of each piece the largest
// statistics that are ready are taken, and facts where there are none.
#include "core/analytics/cover.h"

#include <algorithm>

namespace vrm {
namespace {

constexpr moment quarter_length = moment{15} * 60 * 1'000'000;
constexpr moment in_day = 96;  ///< quarters

constexpr moment floor_of(moment number, moment divisor) {
  return (number / divisor) - static_cast<moment>(number % divisor < 0);
}
constexpr moment ceiling_of(moment number, moment divisor) {
  return (number / divisor) + static_cast<moment>(number % divisor > 0);
}

/// The first of the month of a day: the well-known arithmetic on years that begin in March.
constexpr day_number month_of(day_number day) {
  const moment shifted = moment{day} + 730'425;  // from the first of March of the year 0
  const moment in_era = shifted - (floor_of(shifted, 146'097) * 146'097);
  const moment year = (in_era - (in_era / 1460) + (in_era / 36'524) - (in_era / 146'096)) / 365;
  const moment in_year = in_era - ((365 * year) + (year / 4) - (year / 100));
  const moment month = ((5 * in_year) + 2) / 153;
  return static_cast<day_number>(day - (in_year - (((153 * month) + 2) / 5)));
}
static_assert(month_of(0) == 0 && month_of(30) == 0 && month_of(31) == 31 && month_of(59) == 31 &&
              month_of(60) == 60 && month_of(-1) == -31);

constexpr day_number next_month(day_number first) { return month_of(first + 31); }

class planner {
 public:
  planner(std::span<const changed_quarter> changes, cover& result)
      : changes_(changes), result_(&result) {}

  void bucket(std::int32_t number, moment since, moment until) {
    bucket_ = number;
    moment first = since;  // quarters, from here on
    moment last = until;
    if (since != no_begin) first = ceiling_of(since, quarter_length);
    if (until != no_end) last = floor_of(until, quarter_length);
    if (since != no_begin && until != no_end && first >= last) {
      facts(since, until);
      return;
    }
    if (since != no_begin) facts(since, first * quarter_length);
    quarters(first, last);
    if (until != no_end) facts(last * quarter_length, until);
  }

 private:
  void quarters(moment first, moment last) {
    const auto day_of = [](moment number) { return static_cast<day_number>(number); };
    const day_number whole = first == no_begin ? first_of_days : day_of(ceiling_of(first, in_day));
    const day_number after = last == no_end ? last_of_days : day_of(floor_of(last, in_day));
    if (whole > after) {  // within a day
      part(after, first - (after * in_day), last - (after * in_day));
      return;
    }
    if (first != no_begin && first < whole * in_day) {
      part(whole - 1, first - ((whole - 1) * in_day), in_day);
    }
    days(whole, after);
    if (last != no_end && last > after * in_day) part(after, 0, last - (after * in_day));
  }

  void days(day_number first, day_number last) {
    for (auto change = from(first); change != changes_.end() && change->day < last;) {
      const day_number day = change->day;
      const auto next = from(day + 1);
      const bool parts_alone = std::ranges::all_of(change, next, [](const changed_quarter& one) {
        return one.quarter == changed_quarter::parts_alone;
      });
      if (!parts_alone) {
        ready(first, day);
        part(day, 0, in_day);
        first = day + 1;
      }
      change = next;
    }
    ready(first, last);
  }

  /// Days of which nothing has changed.
  void ready(day_number first, day_number last) {
    if (first >= last) return;
    day_number month = first;
    if (first != first_of_days && month_of(first) != first) month = next_month(month_of(first));
    const day_number end = last == last_of_days ? last : month_of(last);
    if (month >= end) {
      result_->ranges.push_back({bucket_, false, first, last});
      return;
    }
    if (first < month) result_->ranges.push_back({bucket_, false, first, month});
    result_->ranges.push_back({bucket_, true, month, end});
    if (end < last) result_->ranges.push_back({bucket_, false, end, last});
  }

  void part(day_number day, moment since, moment until) {
    for (auto change = from(day); change != changes_.end() && change->day == day; ++change) {
      if (change->quarter < 0) {
        facts_of(day, since, until);
        return;
      }
      if (change->quarter < since || change->quarter >= until) continue;
      ready_part(day, since, change->quarter);
      facts_of(day, change->quarter, change->quarter + 1);
      since = change->quarter + 1;
    }
    ready_part(day, since, until);
  }

  void ready_part(day_number day, moment since, moment until) {
    if (since >= until) return;
    result_->parts.push_back(
        {bucket_, day, static_cast<std::int32_t>(since), static_cast<std::int32_t>(until)});
  }

  void facts_of(day_number day, moment since, moment until) {
    facts(((day * in_day) + since) * quarter_length, ((day * in_day) + until) * quarter_length);
  }

  void facts(moment since, moment until) {
    if (since >= until) return;
    if (!result_->spans.empty() && result_->spans.back().until == since) {
      result_->spans.back().until = until;
    } else {
      result_->spans.push_back({since, until});
    }
  }

  [[nodiscard]] std::span<const changed_quarter>::iterator from(day_number day) const {
    return std::ranges::lower_bound(changes_, day, {}, &changed_quarter::day);
  }

  std::span<const changed_quarter> changes_;
  cover* result_;
  std::int32_t bucket_ = 0;
};

}  // namespace

cover::cover(std::span<const moment> edges, std::span<const changed_quarter> changes) {
  planner plan(changes, *this);
  for (std::size_t i = 1; i < edges.size(); ++i) {
    if (edges[i - 1] < edges[i]) {
      plan.bucket(static_cast<std::int32_t>(i), edges[i - 1], edges[i]);
    }
  }
}

}  // namespace vrm
