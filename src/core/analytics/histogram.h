#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

namespace vrm {

/// How many durations fall into each of a fixed set of buckets: log-linear, that is 2^10 buckets
/// of equal width for each power of two, so that the middle of a bucket is within 2^-11 (0.05 %)
/// of everything in it.  Integer arithmetic only: the same everywhere, in any order.
///
/// Up to 2^11 ms a bucket is one millisecond.  Few durations are kept as a list, many as an array
/// over the buckets in use, 270 kB at most.
class duration_histogram {
 public:
  using bucket = std::uint32_t;

  /// Part of what is stored: another precision would be another numbering of buckets.
  static constexpr int precision = 10;
  static constexpr std::size_t most_few = 512;  ///< different buckets in a list
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

  /// Gathers buckets in ascending order, to add many at once.
  class batch {
   public:
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): some_ is written before it is read
    explicit batch(duration_histogram& into) noexcept : into_(&into) {}
    void add(bucket number, std::uint64_t count) {
      if (taken_ == some_.size()) flush();
      some_[taken_++] = {.number = number, .count = count};
    }
    void flush() {
      into_->add(std::span(some_).first(taken_));
      taken_ = 0;
    }

   private:
    duration_histogram* into_;
    std::size_t taken_ = 0;
    std::array<entry, 128> some_;
  };

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

  std::pmr::vector<entry> few_;  ///< in order of their numbers; empty as soon as there are many
  std::pmr::vector<std::uint64_t> many_;  ///< counts of the buckets from first_ on
  bucket first_ = 0;                      ///< where many_ begins: a multiple of 64
};

static_assert(duration_histogram::bucket_of(duration_histogram::longest) ==
              duration_histogram::buckets - 1);

}  // namespace vrm
