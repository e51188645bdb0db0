// Ids that sort by the time of their making.
#include "functions/uuid.h"

#include <chrono>

#include "core/error.h"
#include "pg/function.h"

namespace vrm::sql {

vrm::uuid uuid7() {
  std::array<std::uint8_t, 8> random{};
  if (!pg_strong_random(random.data(), random.size())) {
    throw vrm::error("58000", "could not generate random bits");
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return vrm::uuid7(static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count()), random);
}

}  // namespace vrm::sql

VRM_EXPORT(vrm_uuid7, vrm::sql::uuid7);
