#include "core/analytics/day_parts.h"

#include <algorithm>

namespace vrm {
namespace {

using slice = parts_directory::slice;

constexpr std::uint8_t version = 1;
/// Statistics of quarters that take more than this are read faster by spans.
constexpr std::size_t worth_spans = 4096;

[[noreturn]] void refuse(const char* why) { byte_reader::refuse(why); }

std::size_t read_size(byte_reader& reader) {
  std::size_t size = 0;
  for (unsigned shift = 0; shift < 32; shift += 8) size |= std::size_t{reader.byte()} << shift;
  return size;
}

void write_size(byte_writer& writer, std::size_t size) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    writer.byte(static_cast<std::uint8_t>(size >> shift));
  }
}

std::span<const std::byte> bytes_of(std::span<const std::byte> packed, slice place) {
  if (place.offset + place.size > packed.size()) refuse("It ends too early.");
  return packed.subspan(place.offset, place.size);
}

std::vector<std::byte> pack_one(const call_stats& stats) {
  std::vector<std::byte> packed(stats.packed_size());
  stats.pack(packed.data());
  return packed;
}

struct quarter_state {
  int quarter;
  std::span<const std::byte> bytes;
};

/// Of each hour from 1 to 23 what the hours before it, or `backwards` it and those after it, add
/// up to; empty where that is the same as of the hour before, or after.
std::vector<std::vector<std::byte>> spans_of(std::span<const quarter_state> states,
                                             bool backwards) {
  std::vector<std::vector<std::byte>> spans(day_parts::hours - 1);
  std::pmr::monotonic_buffer_resource memory;
  call_stats sum(&memory);
  for (int step = 0; step < day_parts::hours - 1; ++step) {
    const int hour = backwards ? day_parts::hours - 1 - step : step;
    bool any = false;
    for (const quarter_state& state : states) {
      if (state.quarter / 4 != hour) continue;
      sum.merge(state.bytes);
      any = true;
    }
    if (any) spans[static_cast<std::size_t>(backwards ? hour - 1 : hour)] = pack_one(sum);
  }
  return spans;
}

}  // namespace

// --- parts that are being made -------------------------------------------------------------------

call_stats& day_parts::at(int quarter) {
  call_stats*& place = places_[static_cast<std::size_t>(quarter)];
  if (place == nullptr) place = &parts_.emplace_back(parts_.get_allocator().resource());
  return *place;
}

template <typename Visit>
void day_parts::each(Visit&& visit) const {
  for (std::size_t quarter = 0; quarter < places_.size(); ++quarter) {
    if (places_[quarter] != nullptr) visit(static_cast<int>(quarter), *places_[quarter]);
  }
}

void day_parts::merge(const day_parts& other) {
  other.each([this](int quarter, const call_stats& stats) { at(quarter).merge(stats); });
}

void day_parts::merge(std::span<const std::byte> packed) {
  const parts_directory directory(packed);
  for (const auto& part : directory.parts()) at(part.quarter).merge(bytes_of(packed, part.place));
}

std::size_t day_parts::packed_size() const noexcept {
  std::size_t size = 3;
  each([&](int /*quarter*/, const call_stats& stats) { size += 5 + stats.packed_size(); });
  return size;
}

void day_parts::pack(std::byte* place) const noexcept {
  byte_writer writer(place);
  writer.byte(version);
  writer.byte(static_cast<std::uint8_t>(parts_.size()));
  writer.byte(0);
  std::byte* body = place + 3 + (5 * parts_.size());
  each([&](int quarter, const call_stats& stats) {
    const std::size_t size = stats.packed_size();
    writer.byte(static_cast<std::uint8_t>(quarter));
    write_size(writer, size);
    stats.pack(body);
    body += size;
  });
}

// --- packed parts --------------------------------------------------------------------------------

parts_directory::parts_directory(std::span<const std::byte> head) {
  byte_reader reader(head);
  if (reader.byte() != version) refuse("Its version is not 1.");
  const std::size_t count = reader.byte();
  const std::uint8_t spans = reader.byte();
  if (count > day_parts::quarters || spans > 1) refuse("It has too many parts.");
  parts_.reserve(count);
  int before = -1;
  for (std::size_t i = 0; i < count; ++i) {
    const int quarter = reader.byte();
    if (quarter <= before || quarter >= day_parts::quarters) refuse("Its parts are not in order.");
    parts_.push_back({.quarter = before = quarter, .place = {.size = read_size(reader)}});
  }
  std::size_t offset = 3 + (5 * count);
  const auto put = [&offset](slice& place) {
    place.offset = offset;
    offset += place.size;
  };
  if (spans != 0) {
    until_.resize(day_parts::hours + 1);
    from_.resize(day_parts::hours + 1);
    for (std::size_t hour = 1; hour < day_parts::hours; ++hour) {
      until_[hour].size = read_size(reader);
    }
    for (std::size_t hour = 1; hour < day_parts::hours; ++hour) {
      from_[hour].size = read_size(reader);
    }
    offset += std::size_t{8} * (day_parts::hours - 1);
    for (std::size_t hour = 1; hour < day_parts::hours; ++hour) put(until_[hour]);
  }
  for (part& one : parts_) put(one.place);
  if (spans == 0) return;
  for (std::size_t hour = 1; hour < day_parts::hours; ++hour) put(from_[hour]);
  for (std::size_t hour = 2; hour < day_parts::hours; ++hour) {
    if (until_[hour].size == 0) until_[hour] = until_[hour - 1];
  }
  for (std::size_t hour = day_parts::hours - 2; hour > 0; --hour) {
    if (from_[hour].size == 0) from_[hour] = from_[hour + 1];
  }
}

std::vector<slice> parts_directory::states(int since, int until) const {
  std::vector<slice> found;
  slice last;
  if (!until_.empty() && since == 0 && until >= 4) {
    const int hour = std::min(until / 4, day_parts::hours - 1);
    const slice span = until_[static_cast<std::size_t>(hour)];
    if (span.size > 0) found.push_back(span);
    since = hour * 4;
  } else if (!from_.empty() && until == day_parts::quarters && since > 0) {
    const int hour = (since + 3) / 4;
    if (hour < day_parts::hours) {
      last = from_[static_cast<std::size_t>(hour)];
      until = hour * 4;
    }
  }
  for (const part& one : parts_) {
    if (one.quarter >= since && one.quarter < until) found.push_back(one.place);
  }
  if (last.size > 0) found.push_back(last);
  return found;
}

std::vector<std::byte> replace_parts(std::span<const std::byte> before, std::span<const int> gone,
                                     std::span<const std::byte> fresh, bool spans) {
  std::vector<quarter_state> states;
  const auto take = [&](std::span<const std::byte> packed, bool others) {
    const parts_directory directory(packed);
    for (const auto& part : directory.parts()) {
      const bool is_gone = std::ranges::find(gone, part.quarter) != gone.end();
      if (is_gone == others) continue;
      states.push_back({.quarter = part.quarter, .bytes = bytes_of(packed, part.place)});
    }
  };
  take(before, true);
  take(fresh, false);
  std::ranges::sort(states, {}, &quarter_state::quarter);

  std::size_t size = 0;
  for (const quarter_state& state : states) size += state.bytes.size();
  std::vector<std::vector<std::byte>> until;
  std::vector<std::vector<std::byte>> from;
  if (spans && size > worth_spans) {
    until = spans_of(states, false);
    from = spans_of(states, true);
  }
  for (const auto& span : until) size += 4 + span.size();
  for (const auto& span : from) size += 4 + span.size();

  std::vector<std::byte> packed(3 + (5 * states.size()) + size);
  byte_writer writer(packed.data());
  writer.byte(version);
  writer.byte(static_cast<std::uint8_t>(states.size()));
  writer.byte(until.empty() ? 0 : 1);
  for (const quarter_state& state : states) {
    writer.byte(static_cast<std::uint8_t>(state.quarter));
    write_size(writer, state.bytes.size());
  }
  for (const auto& span : until) write_size(writer, span.size());
  for (const auto& span : from) write_size(writer, span.size());
  std::byte* body = packed.data() + 3 + (5 * states.size()) + (4 * (until.size() + from.size()));
  const auto put = [&body](std::span<const std::byte> bytes) {
    body = std::ranges::copy(bytes, body).out;
  };
  for (const auto& span : until) put(span);
  for (const quarter_state& state : states) put(state.bytes);
  for (const auto& span : from) put(span);
  return packed;
}

}  // namespace vrm
