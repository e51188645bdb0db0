// Where a histogram's memory grows; the buckets themselves are in the header.
#include "core/analytics/histogram.h"

#include <algorithm>
#include <string>

namespace vrm {
namespace {

using bucket = duration_histogram::bucket;

[[noreturn]] void refuse(std::string_view what, bool again, std::uint64_t count) {
  const std::string all = "A bucket of " + std::string(what) + "s ";
  if (again) byte_reader::refuse(all + "occurs twice.");
  byte_reader::refuse(all + (count == 0 ? "is empty." : "is out of range."));
}

/// Calls put(bucket, count) for each; what the counts add up to.
template <typename Put>
std::uint64_t read_buckets(byte_reader& reader, const duration_histogram::packed& from,
                           const Put& put) {
  constexpr std::uint64_t most_total = std::uint64_t{1} << 62;
  std::uint64_t total = 0;
  bucket at = 0;
  const auto take = [&](std::uint64_t distance, std::uint64_t count) {
    at += static_cast<bucket>(distance);
    total += total > most_total ? 0 : count;
    put(at, count);
  };
  reader.each_pair(1, duration_histogram::buckets, from.most_count,
                   [&](std::uint64_t first, std::uint64_t count) {
                     if (first != from.least) refuse(from.what, false, 1);
                     if (count == 0) refuse(from.what, false, 0);
                     take(first, count);
                   });
  reader.each_pair(from.used - 1, duration_histogram::buckets, from.most_count,
                   [&](std::uint64_t distance, std::uint64_t count) {
                     // 0 wraps round to what is too far as well.
                     if (distance - 1 >= from.most - at) {
                       refuse(from.what, distance == 0, 1);
                     }
                     if (count == 0) refuse(from.what, false, 0);
                     take(distance, count);
                   });
  if (at != from.most) {
    byte_reader::refuse("Its longest " + std::string(from.what) + " is in no bucket.");
  }
  return total;
}

}  // namespace

std::uint64_t duration_histogram::read(byte_reader& reader, const packed& from) {
  // No bucket is packed in less than two bytes, whatever a hostile state says.
  if (from.used > reader.left() / 2) byte_reader::refuse("It ends too early.");
  const bool few = few_.size() + from.used <= most_few;
  if (many_.empty() &&
      (few || (lists_ < most_lists && from.used <= (from.most - from.least) / 2))) {
    // A list is read in one go, and fills fewer pages of fresh memory than an array would.
    ++lists_;
    std::pmr::vector<entry> read(few_.get_allocator());
    read.reserve(from.used);
    const std::uint64_t total = read_buckets(reader, from, [&](bucket number, std::uint64_t count) {
      read.push_back({.number = number, .count = count});
    });
    if (few_.empty()) {
      few_.swap(read);
    } else {
      join(read);
    }
    return total;
  }
  reserve(from.least, from.most);
  std::uint64_t* const counts = many_.data();
  return read_buckets(reader, from, [counts, first = first_](bucket number, std::uint64_t count) {
    counts[number - first] += count;
  });
}

void duration_histogram::add_slowly(bucket number, std::uint64_t count) {
  if (many_.empty()) {
    const auto place = std::ranges::lower_bound(few_, number, {}, &entry::number);
    if (place != few_.end() && place->number == number) {
      place->count += count;
      return;
    }
    if (few_.size() < most_few) {
      few_.insert(place, {.number = number, .count = count});
      return;
    }
  }
  // Too many for the list, or beyond the array: room is made first.
  reserve(number, number);
  many_[number - first_] += count;
}

void duration_histogram::add(std::span<const entry> ascending) {
  if (many_.empty() && few_.size() + ascending.size() <= most_few) {
    join(ascending);
    return;
  }
  // One by one, each would be moved into its place in a list that is about to become an array.
  if (!ascending.empty()) reserve(ascending.front().number, ascending.back().number);
  for (const entry& other : ascending) add(other.number, other.count);
}

void duration_histogram::join(std::span<const entry> ascending) {
  if (few_.empty() || ascending.empty() || few_.back().number < ascending.front().number) {
    few_.insert(few_.end(), ascending.begin(), ascending.end());
    return;
  }
  std::pmr::vector<entry> both(few_.get_allocator());
  both.reserve(few_.size() + ascending.size());
  auto own = few_.begin();
  for (const entry& other : ascending) {
    while (own != few_.end() && own->number < other.number) both.push_back(*own++);
    both.push_back(other);
    if (own != few_.end() && own->number == other.number) both.back().count += own++->count;
  }
  both.insert(both.end(), own, few_.end());
  few_.swap(both);
}

void duration_histogram::reserve(bucket least, bucket most) {
  // By whole powers of two: durations beyond the shortest and the longest so far are seldom far
  // away, and each array that is too small by then has been fresh memory in vain.
  constexpr bucket step = 1U << precision;
  if (many_.empty()) {
    if (!few_.empty()) {
      least = std::min(least, few_.front().number);
      most = std::max(most, few_.back().number);
    }
  } else {
    const auto end = static_cast<bucket>(first_ + many_.size());
    if (least >= first_ && most < end) return;
    least = std::min(least, first_);
    most = std::max(most, end - 1);
  }
  least -= least % step;
  most = std::min((most / step + 1) * step, buckets);

  std::pmr::vector<std::uint64_t> grown(most - least, 0, many_.get_allocator());
  // An empty array has no place to be copied to: then the distance is 0.
  std::ranges::copy(many_, grown.begin() + (first_ - (many_.empty() ? first_ : least)));
  for (const entry& used : few_) grown[used.number - least] = used.count;
  few_.clear();
  many_.swap(grown);
  first_ = least;
}

void duration_histogram::merge(const duration_histogram& other) {
  if (!other.many_.empty()) {
    reserve(other.first_, static_cast<bucket>(other.first_ + other.many_.size() - 1));
  }
  add(other.few_);
  for (std::size_t i = 0; i < other.many_.size(); ++i) {
    if (other.many_[i] != 0) add(static_cast<bucket>(other.first_ + i), other.many_[i]);
  }
}

duration_histogram::bucket duration_histogram::at_rank(std::uint64_t rank) const noexcept {
  std::uint64_t passed = 0;
  for (const entry& used : few_) {
    passed += used.count;
    if (passed >= rank) return used.number;
  }
  for (std::size_t i = 0; i < many_.size(); ++i) {
    passed += many_[i];
    if (passed >= rank) return static_cast<bucket>(first_ + i);
  }
  return 0;
}

}  // namespace vrm
