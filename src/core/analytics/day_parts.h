#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory_resource>
#include <span>
#include <vector>

#include "core/analytics/call_stats.h"

namespace vrm {

/// Statistics of the quarters of an hour of a day in UTC, of which those of any time that begins
/// and ends with a quarter add up: every time zone in use is a number of quarters away from UTC.
///
///   version 1, number of quarters, 1 when there are spans, 2 with those of half-hour zones
///   of each quarter with calls: its number, size of its statistics (4 bytes)
///   with spans: sizes of those until each edge, then of those from each on; with 1 of hours alone
///   statistics of each: until an edge, of the quarters, from an edge on
///
/// A span of size 0 is that of the edge before, or after.  With spans a day that is cut in two is
/// two states and not 96: at any hour, and where days of zones begin that are halves or quarters
/// of an hour away from it.
class day_parts {
 public:
  static constexpr int quarters = 96;
  /// Quarters at which spans end and begin: whole hours, and midnights of Chatham, Eucla, Nepal,
  /// India and others in UTC, in winter and summer.
  static constexpr std::array edges = {4,  8,  10, 12, 14, 16, 20, 24, 28, 32, 36, 38,
                                       40, 41, 44, 45, 48, 52, 54, 56, 58, 60, 61, 64,
                                       68, 70, 72, 73, 74, 76, 78, 80, 82, 84, 88, 92};

  explicit day_parts(std::pmr::memory_resource* memory) noexcept : parts_(memory) {}
  day_parts(const day_parts&) = delete;
  day_parts& operator=(const day_parts&) = delete;

  /// Statistics of a quarter from 0 to 95, empty at first.
  [[nodiscard]] call_stats& at(int quarter);

  void merge(const day_parts& other);
  /// Adds parts as pack() leaves them; throws 22P03 when they are none.
  void merge(std::span<const std::byte> packed);

  [[nodiscard]] std::size_t packed_size() const noexcept;
  /// Without spans.
  void pack(std::byte* place) const noexcept;

 private:
  /// Calls visit(quarter, statistics) in the order of the quarters.
  template <typename Visit>
  void each(Visit&& visit) const;

  std::pmr::list<call_stats> parts_;            ///< as they came; they are too large to be moved
  std::array<call_stats*, quarters> places_{};  ///< in parts_, by quarter; null: no calls
};

/// Where in packed parts the statistics of what time are.
class parts_directory {
 public:
  /// As many bytes of packed parts as a directory may take.
  static constexpr std::size_t most_size =
      3 + (std::size_t{5} * day_parts::quarters) + (std::size_t{8} * day_parts::edges.size());

  struct slice {
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  struct part {
    int quarter = 0;
    slice place;
  };

  /// Of the first bytes of packed parts; throws 22P03 when they are none.
  explicit parts_directory(std::span<const std::byte> head);

  /// In the order of their quarters, one after the other in the bytes.
  [[nodiscard]] std::span<const part> parts() const noexcept { return parts_; }
  /// The states that add up to the quarters from `since` to `until`, in the order of their bytes.
  [[nodiscard]] std::vector<slice> states(int since, int until) const;

 private:
  std::vector<part> parts_;
  std::vector<int> edges_;    ///< of spans; empty without them
  std::vector<slice> until_;  ///< by edge
  std::vector<slice> from_;
};

/// Packed parts in which what others have stands for some quarters; views of both, so these have to
/// outlive it.  Of a busy day they are large: pack() writes them once, to where they belong.
class replaced_parts {
 public:
  /// What `fresh` has stands for the quarters in `gone` of `before`.  `spans`: with spans where
  /// they are worth their place.
  replaced_parts(std::span<const std::byte> before, std::span<const int> gone,
                 std::span<const std::byte> fresh, bool spans);

  [[nodiscard]] std::size_t packed_size() const noexcept;
  void pack(std::byte* place) const noexcept;

 private:
  struct state {
    int quarter;
    std::span<const std::byte> bytes;
  };
  using packed_spans = std::vector<std::vector<std::byte>>;

  void take(std::span<const std::byte> packed, std::span<const int> gone, bool others);
  [[nodiscard]] packed_spans spans_of(bool backwards) const;

  std::vector<state> states_;  ///< in the order of their quarters
  packed_spans until_;         ///< by edge; empty without spans
  packed_spans from_;
};

}  // namespace vrm
