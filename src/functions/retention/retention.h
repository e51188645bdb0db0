#pragma once

#include <optional>

#include "boundary/backend.h"
#include "core/platform/digest.h"

namespace vrm::sql {

/// Whether rows that triggers see deleted are on their way to the archive.
[[nodiscard]] bool is_archiving();

/// What test_runs.results_sha256 is of these results: the digest of their bytes when decompressed,
/// in memory of the current context; of none that of nothing.
[[nodiscard]] sha256 digest_of_results(std::optional<Datum> results);

}  // namespace vrm::sql
