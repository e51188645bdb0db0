// Ids that sort by the time of their making.
#include "functions/platform/uuid.h"

#include <chrono>
#include <utility>

#include "boundary/call/function.h"
#include "core/platform/error.h"

namespace vrm::sql {
namespace {

using random_bits = std::array<std::uint8_t, 8>;

/// Random bits for one id.  They are fetched for 32 ids at once, because fetching costs many times
/// what the rest of an id does, however few bytes it is for.
random_bits next_random_bits() {
  static std::array<random_bits, 32> fetched;
  static std::size_t left = 0;
  if (left == 0) {
    // Not before fork(): the postmaster makes no ids, so no two backends begin with the same bits.
    if (!pg_strong_random(fetched.data(), sizeof fetched)) {
      throw vrm::error("58000", "could not generate random bits");
    }
    left = fetched.size();
  }
  return std::exchange(fetched[--left], {});
}

}  // namespace

vrm::uuid uuid7() {
  const random_bits random = next_random_bits();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return vrm::uuid7(static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count()), random);
}

vrm::uuid uuid7_at(pg::timestamp at) {
  const std::int64_t microseconds = at.time_since_epoch().count();
  // Milliseconds have 48 bits in an id.
  constexpr std::int64_t most = (std::int64_t{1} << 48) * 1000;
  if (microseconds < 0 || microseconds >= most) {
    throw vrm::error("22008", "moment is out of range for an id")
        .detail("Ids hold times from 1970 to 10889.")
        .hint("SELECT vrm.uuid7();");
  }
  return vrm::uuid7(static_cast<std::uint64_t>(microseconds) * 1000, next_random_bits());
}

}  // namespace vrm::sql

PG_EXPORT(vrm_uuid7_at, vrm::sql::uuid7_at);
PG_EXPORT(vrm_uuid7, vrm::sql::uuid7);
