#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "boundary/backend.h"
#include "boundary/call/procedure.h"
#include "core/platform/digest.h"

namespace vrm::sql {

/// Whether rows that triggers see deleted are on their way to the archive.
[[nodiscard]] bool is_archiving();

/// What test_runs.results_sha256 is of these results: the digest of their bytes when decompressed,
/// in memory of the current context; of none that of nothing.
[[nodiscard]] sha256 digest_of_results(std::optional<Datum> results);

/// What a call may take at most, all its policies together.
struct retention_limits {
  using clock = std::chrono::steady_clock;

  std::optional<std::int64_t> rows;
  std::optional<clock::time_point> end;

  [[nodiscard]] bool is_over() const {
    return (rows && *rows <= 0) || (end && clock::now() >= *end);
  }
};

/// Whether an error is one of the server or the session, which no other row or policy is spared.
[[nodiscard]] bool is_fatal(int sqlerrcode);

/// Runs one policy, in transactions of its own; what fails is in the log of runs, and thrown.
void run_policy(pg::procedure_call& call, const std::string& policy, retention_limits& allowed);

}  // namespace vrm::sql
