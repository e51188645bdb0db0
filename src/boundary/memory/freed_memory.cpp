// How much of what is freed stays with the process.
#include "boundary/memory/freed_memory.h"

#include "boundary/memory/memory.h"

namespace pg {

void keep_freed_memory() {
  constexpr std::size_t half = std::size_t{1} << 20;
  // Not by mallopt(), which would keep glibc from learning from larger blocks later.
  pfree(allocate(half, TopMemoryContext));
}

}  // namespace pg
