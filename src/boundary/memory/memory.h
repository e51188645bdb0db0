#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <memory_resource>
#include <new>
#include <type_traits>
#include <utility>

#include "boundary/backend.h"

namespace pg {

/// palloc() for C++: throws std::bad_alloc where palloc would jump.
[[nodiscard]] inline void* allocate(std::size_t size,
                                    MemoryContext context = CurrentMemoryContext) {
  // Beyond that size even MCXT_ALLOC_NO_OOM raises an ERROR.
  void* block = size > MaxAllocHugeSize ? nullptr
                                        : MemoryContextAllocExtended(
                                              context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

/// Makes a memory context current for a scope.
class context_scope {
 public:
  explicit context_scope(MemoryContext context) noexcept : outer_(MemoryContextSwitchTo(context)) {}
  ~context_scope() { MemoryContextSwitchTo(outer_); }
  context_scope(const context_scope&) = delete;
  context_scope& operator=(const context_scope&) = delete;

 private:
  MemoryContext outer_;
};

/// Lets std::pmr containers live in a memory context, and so count towards its size in
/// pg_backend_memory_contexts and vanish with it.
///
/// A container must not outlive its context: what it freed then would be gone already.
class context_resource final : public std::pmr::memory_resource {
 public:
  explicit context_resource(MemoryContext context = CurrentMemoryContext) noexcept
      : context_(context) {}

 private:
  void* do_allocate(std::size_t size, std::size_t alignment) override {
    // What palloc() aligns to.
    if (alignment > MAXIMUM_ALIGNOF) throw std::bad_alloc();
    return pg::allocate(size, context_);
  }
  void do_deallocate(void* block, std::size_t /*size*/, std::size_t /*alignment*/) override {
    pfree(block);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }

  MemoryContext context_;
};

/// Constructs a T that `context` owns: its destructor runs when the context is reset or
/// deleted, so also when the query fails.  Meant for aggregate states and fn_extra caches.
template <typename T, typename... Args>
[[nodiscard]] T* construct_in(MemoryContext context, Args&&... args) {
  // The callback in front of the object, in one piece: neither can be freed without the other.
  struct owned {
    MemoryContextCallback callback;
    alignas(T) std::byte storage[sizeof(T)];
  };
  static_assert(alignof(owned) <= MAXIMUM_ALIGNOF);

  auto* block = static_cast<owned*>(allocate(sizeof(owned), context));
  T* object = std::construct_at(reinterpret_cast<T*>(block->storage), std::forward<Args>(args)...);
  // Registered once constructed: an object whose constructor threw must not be destroyed.
  if constexpr (!std::is_trivially_destructible_v<T>) {
    block->callback.func = [](void* dead) { std::destroy_at(static_cast<T*>(dead)); };
    block->callback.arg = object;
    MemoryContextRegisterResetCallback(context, &block->callback);
  }
  return object;
}

}  // namespace pg
