// Statistics by the quarter of an hour, and from what to make those of a time.
#include "core/analytics/day_parts.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/value/array.h"
#include "boundary/value/detoast.h"
#include "boundary/value/expanded.h"
#include "boundary/value/record.h"
#include "core/analytics/cover.h"
#include "functions/analytics/fact.h"

extern "C" {
#include "utils/date.h"
}

namespace vrm::sql {

/// An array of values that are passed by value, as a column of a record.
template <Oid Type>
struct column {
  Datum array;
};

}  // namespace vrm::sql

namespace pg {

template <Oid Type>
struct datum_traits<vrm::sql::column<Type>> {
  static constexpr Oid oid = Type;
  static Datum to(const vrm::sql::column<Type>& value) noexcept { return value.array; }
};

}  // namespace pg

namespace vrm::sql {
namespace {

using state = pg::datum_traits<pg::aggregate_state<call_stats>>;
using parts_state = pg::aggregate_state<day_parts, BYTEAOID>;
using parts = pg::expandable<day_parts, BYTEAOID>;
using int4_array = pg::array_view<std::int32_t, INT4ARRAYOID>;
using date_array = pg::array_view<DateADT, DATEARRAYOID>;
using moment_array = pg::array_view<TimestampTz, TIMESTAMPTZARRAYOID>;

std::span<const std::byte> in_query(std::span<const std::byte> bytes) {
  auto* const place = static_cast<std::byte*>(pg::allocate(bytes.size()));
  std::ranges::copy(bytes, place);
  return {place, bytes.size()};
}

template <Oid Type, Oid Element, typename Rows, typename Value>
column<Type> column_of(const Rows& rows, const Value& value) {
  pg::array_builder builder(Element, rows.size());
  for (const auto& row : rows) builder.add(value(row), false);
  return {builder.finish()};
}

}  // namespace

// --- quarters of an hour -------------------------------------------------------------------------

parts_state add_part(
    parts_state into, pg::timestamp started_at, std::optional<std::string_view> status,
    std::optional<std::int64_t> duration_ms, std::optional<std::string_view> sentiment,
    std::optional<std::int32_t> actions, std::optional<std::int64_t> customer,
    std::optional<bool> bad, std::optional<std::int32_t> agent_ms,
    std::optional<std::int32_t> customer_ms, std::optional<std::int32_t> interruptions,
    std::optional<std::span<const std::byte>> answers, std::optional<std::int32_t> tool_calls,
    std::optional<std::int32_t> tool_failures, std::optional<std::string_view> kind,
    std::optional<std::int64_t> cost_micros, std::optional<std::string_view> currency) {
  if (started_at == pg::timestamp::min() || started_at == pg::timestamp::max()) {
    throw error("22008", "a call at the end of time belongs to no day")
        .detail("It began at an infinite time.")
        .hint("Leave it out: WHERE isfinite(started_at).");
  }
  add_to(into->at(quarter_of(started_at)),
         {status, duration_ms, sentiment, actions, customer, bad, agent_ms, customer_ms,
          interruptions, answers, tool_calls, tool_failures, kind, cost_micros, currency});
  return into;
}

parts_state merge_parts(parts_state into, std::optional<parts> other) {
  if (!other) return into;
  if (other->object != nullptr) {
    into->merge(*other->object);
  } else {
    into->merge(other->packed);
  }
  return into;
}

pg::packed_result<replaced_parts, BYTEAOID> replace_parts(std::span<const std::byte> before,
                                                          int4_array gone,
                                                          std::span<const std::byte> fresh,
                                                          bool spans) {
  return {replaced_parts(before, gone.elements(), fresh, spans)};
}

namespace {

/// The states of quarters of a day, where they are among its parts.
class stored_parts {
 public:
  stored_parts(pg::sliced_bytea packed, std::int32_t since, std::int32_t until)
      : packed_(packed),
        states_(parts_directory(packed.slice(0, parts_directory::most_size)).states(since, until)) {
  }

  [[nodiscard]] std::size_t size() const noexcept { return states_.size(); }
  /// When there is one only.
  [[nodiscard]] std::span<const std::byte> only() const {
    return fetch(states_[0].offset, states_[0].size);
  }
  void add_to(call_stats& sum) const {
    for (std::size_t i = 0; i < states_.size();) {  // those that follow each other at once
      std::size_t next = i + 1;
      std::size_t end = states_[i].offset + states_[i].size;
      for (; next < states_.size() && states_[next].offset == end; ++next) {
        end += states_[next].size;
      }
      const auto bytes = fetch(states_[i].offset, end - states_[i].offset);
      for (std::size_t at = 0; i < next; ++i) {
        sum.merge(bytes.subspan(at, states_[i].size));
        at += states_[i].size;
      }
    }
  }

 private:
  [[nodiscard]] std::span<const std::byte> fetch(std::size_t offset, std::size_t size) const {
    const auto bytes = packed_.slice(offset, size);
    if (bytes.size() != size) byte_reader::refuse("It ends too early.");
    return bytes;
  }

  pg::sliced_bytea packed_;
  std::vector<parts_directory::slice> states_;
};

}  // namespace

/// Null when there is no call.  One state is handed on as it is stored.
std::optional<std::span<const std::byte>> part_of_day(pg::sliced_bytea packed, std::int32_t since,
                                                      std::int32_t until) {
  const stored_parts found(packed, since, until);
  if (found.size() == 0) return std::nullopt;
  if (found.size() == 1) return found.only();
  pg::context_resource memory;
  call_stats sum(&memory);
  found.add_to(sum);
  std::vector<std::byte> made(sum.packed_size());
  sum.pack(made.data());
  return in_query(made);
}

/// A state, or with `since` parts of a day: nothing is packed between these and the sum.
pg::next_state<call_stats> merge_piece(pg::unopened_state<call_stats> before,
                                       std::optional<pg::sliced_bytea> piece,
                                       std::optional<std::int32_t> since,
                                       std::optional<std::int32_t> until) {
  if (!piece) return {before.is_null() ? state::to(before.open()) : before.datum()};
  const bool is_first = call_stats::is_nothing(before.packed());
  const auto hand_on = [](std::span<const std::byte> bytes) -> pg::next_state<call_stats> {
    return {pg::datum_traits<std::span<const std::byte>>::to(bytes)};
  };
  if (!since || !until) {
    const auto bytes = piece->all();
    if (is_first) return hand_on(bytes);
    const auto sum = before.open();
    sum.object->value().merge(bytes);
    return {state::to(sum)};
  }
  const stored_parts found(*piece, *since, *until);
  if (found.size() == 0 && !before.is_null()) return {before.datum()};
  if (found.size() == 1 && is_first) return hand_on(found.only());
  const auto sum = before.open();
  found.add_to(sum.object->value());
  return {state::to(sum)};
}

// --- from what statistics are made ---------------------------------------------------------------

struct cover_columns {
  static constexpr std::array columns = {
      "range_bucket", "range_is_month", "range_first", "range_last", "part_bucket",
      "part_day",     "part_since",     "part_until",  "span_since", "span_until"};
};
using cover_row = pg::named_record<cover_columns, column<INT4ARRAYOID>, column<BOOLARRAYOID>,
                                   column<DATEARRAYOID>, column<DATEARRAYOID>, column<INT4ARRAYOID>,
                                   column<DATEARRAYOID>, column<INT4ARRAYOID>, column<INT4ARRAYOID>,
                                   column<TIMESTAMPTZARRAYOID>, column<TIMESTAMPTZARRAYOID>>;

cover_row cover_time(moment_array edges, date_array days, int4_array quarters) {
  const auto changed_days = days.elements();
  const auto changed_quarters = quarters.elements();
  if (!std::ranges::is_sorted(edges.elements()) || changed_days.size() != changed_quarters.size()) {
    throw error("22023", "edges must ascend, and each day that has changed needs its quarter")
        .detail("Some do not.")
        .hint("For example: SELECT * FROM vrm.cover_time('{-infinity, infinity}', '{}', '{}');");
  }
  std::vector<changed_quarter> changes;
  changes.reserve(changed_days.size());
  for (std::size_t i = 0; i < changed_days.size(); ++i) {
    changes.push_back({.day = changed_days[i], .quarter = changed_quarters[i]});
  }
  std::ranges::sort(changes, [](const changed_quarter& a, const changed_quarter& b) {
    return a.day != b.day ? a.day < b.day : a.quarter < b.quarter;
  });
  const cover found(edges.elements(), changes);

  const auto number = [](auto member) {
    return [member](const auto& row) { return Int32GetDatum(row.*member); };
  };
  const auto time = [](auto member) {
    return [member](const cover::span& row) { return TimestampTzGetDatum(row.*member); };
  };
  const auto& [ranges, pieces, spans] = found;
  return {{column_of<INT4ARRAYOID, INT4OID>(ranges, number(&cover::range::bucket)),
           column_of<BOOLARRAYOID, BOOLOID>(
               ranges, [](const cover::range& row) { return BoolGetDatum(row.months); }),
           column_of<DATEARRAYOID, DATEOID>(ranges, number(&cover::range::first)),
           column_of<DATEARRAYOID, DATEOID>(ranges, number(&cover::range::last)),
           column_of<INT4ARRAYOID, INT4OID>(pieces, number(&cover::part::bucket)),
           column_of<DATEARRAYOID, DATEOID>(pieces, number(&cover::part::day)),
           column_of<INT4ARRAYOID, INT4OID>(pieces, number(&cover::part::since)),
           column_of<INT4ARRAYOID, INT4OID>(pieces, number(&cover::part::until)),
           column_of<TIMESTAMPTZARRAYOID, TIMESTAMPTZOID>(spans, time(&cover::span::since)),
           column_of<TIMESTAMPTZARRAYOID, TIMESTAMPTZOID>(spans, time(&cover::span::until))}};
}

}  // namespace vrm::sql

PG_EXPORT(vrm_add_part, vrm::sql::add_part);
PG_EXPORT(vrm_merge_parts, vrm::sql::merge_parts);
PG_EXPORT(vrm_replace_parts, vrm::sql::replace_parts);
PG_EXPORT(vrm_part_of_day, vrm::sql::part_of_day);
PG_EXPORT(vrm_merge_piece, vrm::sql::merge_piece);
PG_EXPORT(vrm_cover_time, vrm::sql::cover_time);
