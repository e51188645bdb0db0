// Where a histogram's memory grows; the buckets themselves are in the header.
#include "core/analytics/histogram.h"

#include <algorithm>

namespace vrm {

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
    return;
  }
  // One by one, each would be moved into its place in a list that is about to become an array.
  if (!ascending.empty()) reserve(ascending.front().number, ascending.back().number);
  for (const entry& other : ascending) add(other.number, other.count);
}

void duration_histogram::reserve(bucket least, bucket most) {
  // Memory grows in steps: a duration next to the last one should not make it grow again.
  constexpr bucket step = 64;
  if (many_.empty()) {
    if (!few_.empty()) {
      least = std::min(least, few_.front().number);
      most = std::max(most, few_.back().number);
    }
  } else {
    // Room for half as much again on the side that grows, so that it does not grow often.
    const auto end = static_cast<bucket>(first_ + many_.size());
    const auto slack = static_cast<bucket>(many_.size() / 2);
    if (least >= first_ && most < end) return;
    least = least < first_ ? least - std::min(least, slack) : first_;
    most = most >= end ? std::min(most + slack, buckets - 1) : end - 1;
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
