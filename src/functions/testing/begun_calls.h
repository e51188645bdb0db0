#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "boundary/table/plain_table.h"
#include "core/platform/uuid.h"
#include "functions/platform/table.h"

namespace vrm::sql {

/// What was seen of a call when it began.
struct begun_call {
  std::optional<vrm::uuid> agent;
  std::optional<std::int32_t> version;
  bool has_cases = true;
};

/// A call that a runner has taken.
struct taken_call {
  vrm::uuid run{};
  std::int32_t attempt = 1;
  TimestampTz lease_until = 0;
  std::optional<begun_call> seen = std::nullopt;  ///< else it has to be looked up
};

constexpr pg::known_table run_leases = platform_table("vrm", "run_leases");

/// Takes calls out of the queue for a runner, below the executor: its row leaves the queue, the
/// call begins, the lease is there.  What an UPDATE of the call would do besides, by triggers of
/// the platform, is done here; where a table has others, is_plain() says no.
///
/// Foreign keys are not asked: whoever deletes the owner deletes the calls first, which waits for
/// whoever takes one, and what is about the owner afterwards (vrm_private.forget_queue).
class call_taker {
 public:
  call_taker();
  call_taker(const call_taker&) = delete;
  call_taker& operator=(const call_taker&) = delete;
  ~call_taker();

  /// Of the queue, too, whose rows the caller takes.
  [[nodiscard]] bool is_plain(Relation queue) const;

  struct lease_of {
    vrm::uuid owner{};
    std::optional<std::string_view> runner;
    std::int64_t length = 0;  ///< microseconds
  };
  /// The row of the queue has been taken; the call begins, unless it has begun or ended meanwhile.
  [[nodiscard]] std::optional<taken_call> begin(const lease_of& lease, const vrm::uuid& run,
                                                std::int32_t attempts);

  void finish();

 private:
  struct tables;
  std::unique_ptr<tables> tables_;
};

}  // namespace vrm::sql
