#pragma once

#include <cstdint>
#include <optional>

#include "core/platform/uuid.h"

namespace vrm::sql {

/// Where runners of an owner have found waiting calls last: what lies before is taken, by
/// transactions that are still open for the most part.  All backends share it, so that none has to
/// pass over what the others hold.
///
/// It is a hint that nothing depends on but speed: now and then a claim begins at the front, and
/// finds what came late or was undone; and so does each that finds nothing behind the place.
class queue_place {
 public:
  /// Of calls of an owner, as it is now.
  static queue_place of(const vrm::uuid& owner);

  /// Where to begin; nothing for the front.
  [[nodiscard]] const std::optional<vrm::uuid>& beginning() const noexcept { return beginning_; }

  /// Where others are by now, if that lies behind a call.
  [[nodiscard]] std::optional<vrm::uuid> further_than(const vrm::uuid& run) const;

  /// The last call that was taken; nothing when none waits from the front on.
  void move(const std::optional<vrm::uuid>& last, bool from_front) const;

 private:
  explicit queue_place(const vrm::uuid& owner) noexcept : owner_(owner) {}

  vrm::uuid owner_;
  std::int64_t turn_ = 0;
  std::optional<vrm::uuid> beginning_;
};

}  // namespace vrm::sql
