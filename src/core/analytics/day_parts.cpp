#include "core/analytics/day_parts.h"

#include <algorithm>

namespace vrm {
namespace {

using slice = parts_directory::slice;

constexpr std::uint8_t version = 1;
constexpr std::uint8_t with_hours = 1;
constexpr std::uint8_t with_half_hours = 2;
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
  if (count > day_parts::quarters || spans > with_half_hours) refuse("It has too many parts.");
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
  for (const int edge : day_parts::edges) {
    if (spans == with_half_hours || (spans == with_hours && edge % 4 == 0)) edges_.push_back(edge);
  }
  until_.resize(edges_.size());
  from_.resize(edges_.size());
  for (slice& span : until_) span.size = read_size(reader);
  for (slice& span : from_) span.size = read_size(reader);
  offset += 8 * edges_.size();
  for (slice& span : until_) put(span);
  for (part& one : parts_) put(one.place);
  for (slice& span : from_) put(span);
  for (std::size_t i = 1; i < until_.size(); ++i) {
    if (until_[i].size == 0) until_[i] = until_[i - 1];
  }
  for (std::size_t i = from_.size(); i-- > 1;) {
    if (from_[i - 1].size == 0) from_[i - 1] = from_[i];
  }
}

std::vector<slice> parts_directory::states(int since, int until) const {
  std::vector<slice> found;
  slice last;
  if (since == 0) {
    const auto after = std::ranges::upper_bound(edges_, until);
    if (after != edges_.begin()) {
      const slice span = until_[static_cast<std::size_t>(after - edges_.begin() - 1)];
      if (span.size > 0) found.push_back(span);
      since = *(after - 1);
    }
  } else if (until == day_parts::quarters) {
    const auto edge = std::ranges::lower_bound(edges_, since);
    if (edge != edges_.end()) {
      last = from_[static_cast<std::size_t>(edge - edges_.begin())];
      until = *edge;
    }
  }
  for (const part& one : parts_) {
    if (one.quarter >= since && one.quarter < until) found.push_back(one.place);
  }
  if (last.size > 0) found.push_back(last);
  return found;
}

// --- parts of which some are replaced ------------------------------------------------------------

replaced_parts::replaced_parts(std::span<const std::byte> before, std::span<const int> gone,
                               std::span<const std::byte> fresh, bool spans) {
  take(before, gone, true);
  take(fresh, gone, false);
  std::ranges::sort(states_, {}, &state::quarter);
  std::size_t size = 0;
  for (const state& one : states_) size += one.bytes.size();
  if (spans && size > worth_spans) {
    until_ = spans_of(false);
    from_ = spans_of(true);
  }
}

void replaced_parts::take(std::span<const std::byte> packed, std::span<const int> gone,
                          bool others) {
  const parts_directory directory(packed);
  for (const auto& part : directory.parts()) {
    const bool is_gone = std::ranges::find(gone, part.quarter) != gone.end();
    if (is_gone == others) continue;
    states_.push_back({.quarter = part.quarter, .bytes = bytes_of(packed, part.place)});
  }
}

/// Of each edge what the quarters before it, or `backwards` those from it on, add up to; empty
/// where that is the same as of the edge before, or after.
replaced_parts::packed_spans replaced_parts::spans_of(bool backwards) const {
  constexpr std::size_t count = day_parts::edges.size();
  packed_spans spans(count);
  std::pmr::monotonic_buffer_resource memory;
  call_stats sum(&memory);
  int passed = backwards ? day_parts::quarters : 0;
  for (std::size_t step = 0; step < count; ++step) {
    const std::size_t place = backwards ? count - 1 - step : step;
    const int edge = day_parts::edges[place];
    bool any = false;
    for (const state& one : states_) {
      if (one.quarter < std::min(passed, edge) || one.quarter >= std::max(passed, edge)) continue;
      sum.merge(one.bytes);
      any = true;
    }
    if (any) spans[place] = pack_one(sum);
    passed = edge;
  }
  return spans;
}

std::size_t replaced_parts::packed_size() const noexcept {
  std::size_t size = 3;
  for (const state& one : states_) size += 5 + one.bytes.size();
  for (const auto& span : until_) size += 4 + span.size();
  for (const auto& span : from_) size += 4 + span.size();
  return size;
}

void replaced_parts::pack(std::byte* place) const noexcept {
  byte_writer writer(place);
  writer.byte(version);
  writer.byte(static_cast<std::uint8_t>(states_.size()));
  writer.byte(until_.empty() ? 0 : with_half_hours);
  for (const state& one : states_) {
    writer.byte(static_cast<std::uint8_t>(one.quarter));
    write_size(writer, one.bytes.size());
  }
  for (const auto& span : until_) write_size(writer, span.size());
  for (const auto& span : from_) write_size(writer, span.size());
  std::byte* body = place + 3 + (5 * states_.size()) + (4 * (until_.size() + from_.size()));
  const auto put = [&body](std::span<const std::byte> bytes) {
    body = std::ranges::copy(bytes, body).out;
  };
  for (const auto& span : until_) put(span);
  for (const state& one : states_) put(one.bytes);
  for (const auto& span : from_) put(span);
}

}  // namespace vrm
