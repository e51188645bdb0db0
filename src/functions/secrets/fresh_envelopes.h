#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "boundary/table/number_lock.h"
#include "core/secrets/envelope.h"

extern "C" {
#include "access/xact.h"
}

namespace vrm::sql {

/// Envelopes that the trigger has made in this command: ON CONFLICT DO UPDATE hands what BEFORE
/// INSERT has bound to BEFORE UPDATE, and a row that moves to another partition the other way
/// round.
class fresh_envelopes {
 public:
  /// `envelope` was just bound to its row by the trigger.
  void keep(vrm::byte_view envelope) {
    start();
    tags_[next_++ % tags_.size()] = tag_of(envelope);
  }
  [[nodiscard]] bool has(vrm::byte_view envelope) {
    start();
    return std::ranges::find(tags_, tag_of(envelope)) != tags_.end();
  }

 private:
  using tag = std::array<std::byte, vrm::envelope_tag_size>;
  /// Envelopes are fresh for one command of one subtransaction.
  struct moment {
    pg::transaction_part part{};
    CommandId command = InvalidCommandId;
    friend bool operator==(const moment&, const moment&) = default;
  };

  /// Of the whole envelope: two that differ have the same one only by chance, one in 2^128.
  static tag tag_of(vrm::byte_view envelope) {
    tag last{};
    std::ranges::copy(envelope.last(last.size()), last.begin());
    return last;
  }
  void start() {
    const moment now{.part = pg::transaction_part::current(),
                     .command = GetCurrentCommandId(false)};
    if (since_ == now) return;
    since_ = now;
    tags_ = {};
  }

  moment since_{};
  // A ring: a row is handed on right after it was bound, so the latest ones are enough.
  std::array<tag, 32> tags_{};
  std::size_t next_ = 0;
};

}  // namespace vrm::sql
