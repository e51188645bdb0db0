#pragma once

#include <cstddef>

namespace pg {

/// Memory that all backends of the server share under a name; the same name and size have to mean
/// the same layout.  Null when the server has none left.  Nothing has to be preloaded for a few
/// kilobytes: PostgreSQL 15 and 16 keep some for whoever comes late, later ones make a segment.
///
/// `prepare` runs once, before anybody else sees it; it must not fail.
[[nodiscard]] void* shared_memory(const char* name, std::size_t size, void (*prepare)(void*));

}  // namespace pg
