#pragma once

namespace vrm::sql {

/// Whether rows that triggers see deleted are on their way to the archive.
[[nodiscard]] bool is_archiving();

}  // namespace vrm::sql
