// States from strangers: 22P03 with a DETAIL, or figures that can be asked for, and the very same
// bytes again.
#include "core/analytics/call_stats.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/platform/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto state = std::as_bytes(std::span(data, size));
  std::pmr::memory_resource* const memory = std::pmr::new_delete_resource();
  try {
    vrm::call_stats stats(memory);
    stats.merge(state);
    stats.check_plausible();
    std::vector<std::byte> again(stats.packed_size());
    stats.pack(again.data());
    if (!std::ranges::equal(again, state)) std::abort();
    (void)stats.json();
    for (const double fraction : {0.0, 0.5, 1.0}) {
      const auto duration = stats.duration_quantile(fraction);
      if (duration < stats.shortest_duration() || duration > stats.longest_duration()) std::abort();
    }
    (void)stats.duration_rank(0);
    vrm::call_stats twice(memory);
    twice.merge(stats);
    twice.merge(state);
  } catch (const vrm::error& e) {
    const bool refused = e.state() == vrm::sqlstate("22P03") || e.state() == vrm::sqlstate("22003");
    if (!refused || e.detail().empty()) std::abort();
  }
  return 0;
}
