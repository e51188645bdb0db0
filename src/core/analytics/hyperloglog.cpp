// Flajolet et al., "HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm"
// (2007); the estimate is that of Ertl, "New cardinality estimation algorithms for HyperLogLog
// sketches" (2017), section 4, right without tables of corrections; its tau, which corrects beyond
// 2^60, is left out.
#include "core/analytics/hyperloglog.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>

namespace vrm {
namespace {

/// Corrects for registers that are still zero.
double sigma(double x) noexcept {
  // All registers zero: the infinite denominator makes the estimate 0.
  if (x == 1) return INFINITY;
  double y = 1;
  double z = x;
  double before = -1;
  // Converges, because x is squared each time; ends when nothing changes any more.
  while (z != before) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

/// Compilers vectorize this where nothing overlaps: merging large states is mostly such loops.
void take_higher(std::uint8_t* __restrict own, const std::uint8_t* __restrict others) noexcept {
  for (std::size_t i = 0; i < hyperloglog::registers; ++i) {
    own[i] = own[i] < others[i] ? others[i] : own[i];
  }
}

}  // namespace

std::uint64_t stable_hash(std::string_view text) noexcept {
  // Finished by mix(), because HyperLogLog needs its highest bits to be as random as the lowest.
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mix(hash);
}

void hyperloglog::add_exact(std::uint64_t hash) {
  if (exact_.size() < most_exact && (exact_.empty() || exact_.back() < hash)) {
    exact_.push_back(hash);  // as they are read back
    return;
  }
  const auto place = std::ranges::lower_bound(exact_, hash);
  if (place != exact_.end() && *place == hash) return;
  if (exact_.size() < most_exact) {
    exact_.insert(place, hash);
    return;
  }
  // Once more than 256 were seen it stays so: which 256 came first must not matter.
  become_dense();
  add(hash);
}

void hyperloglog::become_dense() {
  dense_.assign(registers, 0);
  for (const std::uint64_t hash : exact_) add(hash);
  exact_.clear();
}

void hyperloglog::merge(const hyperloglog& other) {
  for (const std::uint64_t hash : other.exact_) add(hash);
  if (!other.dense_.empty()) merge(std::span(other.dense_).first<registers>());
}

void hyperloglog::merge(std::span<const std::uint8_t, registers> dense) {
  if (dense_.empty()) become_dense();
  take_higher(dense_.data(), dense.data());
}

std::int64_t hyperloglog::estimate() const noexcept {
  if (dense_.empty()) return static_cast<std::int64_t>(exact_.size());
  // Several tables, because registers that follow each other are often the same: one counter would
  // have to wait for itself.
  std::array<std::array<int, highest + 1>, 4> counts{};
  for (std::size_t i = 0; i < registers; i += counts.size()) {
    for (std::size_t lane = 0; lane < counts.size(); ++lane) ++counts[lane][dense_[i + lane]];
  }
  std::array<int, highest + 1> count{};
  for (const auto& lane : counts) std::ranges::transform(count, lane, count.begin(), std::plus());
  constexpr double m = registers;
  double z = 0;
  // Weights 2^-value, added from the smallest on.
  for (std::size_t value = highest; value >= 1; --value) z = 0.5 * (z + count[value]);
  z += m * sigma(count[0] / m);
  constexpr double most = 0x1p62;  // only a hostile state says more
  return std::llround(std::min(m * m / (2 * std::numbers::ln2 * z), most));
}

}  // namespace vrm
