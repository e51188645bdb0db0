// Memory that the backends of a server share.
#include "boundary/memory/shared_memory.h"

#include <string>

#include "boundary/call/subtransaction.h"

extern "C" {
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#else
#include "storage/lwlock.h"
#include "storage/shmem.h"
#endif
}

namespace pg {

void* shared_memory(const char* name, std::size_t size, void (*prepare)(void*)) {
  // With its size: a server that runs on keeps what the library of another release has made.
  const std::string full_name = name + (" of " + std::to_string(size) + " bytes");
  void* found = nullptr;
  try {
    // A subtransaction, whose end lets go of the locks when there is no memory.
    in_subtransaction([&] {
      guarded([&] {
        bool is_there = false;
#if PG_VERSION_NUM >= 190000
        const auto prepare_by = [](void* memory, void* how) {
          (*static_cast<void (**)(void*)>(how))(memory);
        };
        found = GetNamedDSMSegment(full_name.c_str(), size, prepare_by, &is_there,
                                   static_cast<void*>(&prepare));
#elif PG_VERSION_NUM >= 170000
        found = GetNamedDSMSegment(full_name.c_str(), size, prepare, &is_there);
#else
        LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
        void* const memory = ShmemInitStruct(full_name.c_str(), size, &is_there);
        if (!is_there) prepare(memory);
        LWLockRelease(AddinShmemInitLock);
        found = memory;
#endif
      });
    });
  } catch (const error& problem) {
    if (ERRCODE_TO_CATEGORY(problem.sqlerrcode()) != ERRCODE_INSUFFICIENT_RESOURCES) throw;
    found = nullptr;
  }
  return found;
}

}  // namespace pg
