#pragma once

#include <cstdint>

#include "boundary/backend.h"
#include "boundary/table/known_table.h"

namespace pg {

/// Counts rows that outlive ROLLBACK, in a sequence, and leaves out no number after a crash:
/// nextval() would, since it logs 32 numbers ahead.  Whoever has one of these counts alone, for a
/// moment, whatever becomes of the transaction.
class gapless_counter {
 public:
  /// Waits for whoever counts.  Without the sequence nothing is locked: an older platform has none.
  explicit gapless_counter(const known_table& sequence);
  /// Lets go of the lock at once, not with the transaction.
  ~gapless_counter();
  gapless_counter(const gapless_counter&) = delete;
  gapless_counter& operator=(const gapless_counter&) = delete;

  /// Whether the sequence is there.
  [[nodiscard]] bool is_there() const noexcept { return sequence_ != InvalidOid; }

  /// The number of the row that is to be written now.
  [[nodiscard]] std::int64_t next() const noexcept { return last_ + 1; }

  /// The row is written.
  /// Not called, the next one has the same number: an ERROR while writing the row leaves no gap.
  void advance();

 private:
  Oid sequence_ = InvalidOid;
  std::int64_t last_ = 0;  ///< 0 before the first
};

}  // namespace pg
