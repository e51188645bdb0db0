#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include "core/analytics/packing.h"

namespace vrm {

/// How many durations fall into each of a fixed set of buckets: log-linear, that is 2^10 buckets
/// of equal width for each power of two, so that the middle of a bucket is within 2^-11 (0.05 %)
/// of everything in it.  Integer arithmetic only: the same everywhere, in any order.
///
/// Up to 2^11 ms a bucket is one millisecond.  Few different durations are kept as a list, and
/// those of a state that is alone; others as an array over the buckets in use, 270 kB at most.
class duration_histogram {
 public:
  using bucket = std::uint32_t;

  /// Part of what is stored: another precision would be another numbering of buckets.
  static constexpr int precision = 10;
  static constexpr std::size_t most_few = 512;  ///< different buckets in a list that is added to
  static constexpr std::int64_t longest = (std::int64_t{1} << 42) - 1;  ///< ms: 139 years

  /// Of a duration in ms from 0 to `longest`.
  [[nodiscard]] static constexpr bucket bucket_of(std::int64_t duration) noexcept {
    const auto value = static_cast<std::uint64_t>(duration);
    if (value < (2U << precision)) return static_cast<bucket>(value);
    const int shift = 63 - std::countl_zero(value) - precision;
    return (static_cast<bucket>(shift) << precision) + static_cast<bucket>(value >> shift);
  }

  struct range {
    std::int64_t least;
    std::int64_t most;  ///< included
  };
  /// Of a bucket below `buckets`.
  [[nodiscard]] static constexpr range range_of(bucket number) noexcept {
    if (number < (2U << precision)) return {number, number};
    const auto shift = (number >> precision) - 1;
    const std::int64_t mantissa = (number & ((1U << precision) - 1)) | (1U << precision);
    return {mantissa << shift, ((mantissa + 1) << shift) - 1};
  }

  /// 2^11 buckets of a millisecond, then 2^10 for each further power of two.
  static constexpr bucket buckets = ((42 - precision) << precision) + (1U << precision);

  explicit duration_histogram(std::pmr::memory_resource* memory) noexcept
      : few_(memory), many_(memory) {}

  /// `number` is below `buckets`.
  void add(bucket number, std::uint64_t count = 1) {
    // Unsigned: below first_ the difference wraps round and is too large as well.
    if (number - first_ < many_.size()) [[likely]] {
      many_[number - first_] += count;
    } else {
      add_slowly(number, count);
    }
  }
  void merge(const duration_histogram& other);

  struct entry {
    bucket number;
    std::uint64_t count;
  };
  /// Adds different buckets in ascending order, which costs less than one by one.
  void add(std::span<const entry> ascending);

  /// Buckets as states have them: pairs of the distance from the bucket before and a count.
  struct packed {
    bucket used;               ///< different ones
    bucket least;              ///< the first of them
    bucket most;               ///< and the last
    std::uint64_t most_count;  ///< of any of them, up to 2^62
    std::string_view what;     ///< they count: for errors
  };
  /// Adds them; what their counts add up to, or more than 2^62.  Throws 22P03 for other buckets.
  std::uint64_t read(byte_reader& reader, const packed& from);

  /// Makes room for many durations in buckets `least` to `most`.
  void reserve(bucket least, bucket most);

  /// Calls visit(bucket, count) for each bucket in use, shorter durations first.
  template <typename Visit>
  void each(Visit&& visit) const {
    for (const entry& used : few_) visit(used.number, used.count);
    for (std::size_t i = 0; i < many_.size(); ++i) {
      if (many_[i] != 0) visit(static_cast<bucket>(first_ + i), many_[i]);
    }
  }

  /// Bucket of the duration at `rank`, from 1 to the number of durations.
  [[nodiscard]] bucket at_rank(std::uint64_t rank) const noexcept;

 private:
  void add_slowly(bucket number, std::uint64_t count);
  void join(std::span<const entry> ascending);

  /// Lists of any length that are read as such: a local day is two parts of days in UTC.
  static constexpr int most_lists = 2;

  std::pmr::vector<entry> few_;  ///< in order of their numbers; empty as soon as there are many
  std::pmr::vector<std::uint64_t> many_;  ///< counts of the buckets from first_ on
  int lists_ = 0;                         ///< read so far
  bucket first_ = 0;                      ///< where many_ begins: a multiple of 2^10
};

static_assert(duration_histogram::bucket_of(duration_histogram::longest) ==
              duration_histogram::buckets - 1);

}  // namespace vrm
