#pragma once

/// Values of our own types that live unpacked while a query works on them.
///
/// PostgreSQL's expanded objects (utils/expandeddatum.h): the value is a C++ object in a memory
/// context of its own, and PostgreSQL packs it into bytes when it is stored or sent.  As the state
/// of an aggregate it is updated in place, although the state's type is no internal one.

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

#include "boundary/call/function.h"
#include "boundary/value/datum.h"

extern "C" {
#include "utils/expandeddatum.h"
}

namespace pg {

/// A T in a memory context of its own.  T is constructed from a std::pmr::memory_resource, keeps
/// all its memory there, and is never destroyed: the context takes everything along.
template <typename T>
class expanded {
 public:
  /// As a child of `parent`.
  static expanded* make(MemoryContext parent) {
    const MemoryContext context = guarded([&] {
      return AllocSetContextCreate(parent, "expanded value", ALLOCSET_START_SMALL_SIZES);
    });
    auto* const made = static_cast<expanded*>(allocate(sizeof(expanded), context));
    std::construct_at(made, context);
    EOH_init_header(&made->header_, &methods, context);
    return made;
  }

  /// The object behind `datum`; nullptr when it is packed.
  static expanded* of(Datum datum) noexcept {
    if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum))) return nullptr;
    // The address of the methods tells which T it is: each has its own.
    auto* const header = DatumGetEOHP(datum);
    return header->eoh_methods == &methods ? reinterpret_cast<expanded*>(header) : nullptr;
  }

  explicit expanded(MemoryContext context) : memory_(context), value_(&memory_) {}

  T& value() noexcept { return value_; }
  Datum to_datum() noexcept { return EOHPGetRWDatum(&header_); }

 private:
  // PostgreSQL asks for the size first and calls pack() with just that, so both count the same.
  static std::size_t packed_size(ExpandedObjectHeader* header) noexcept {
    return VARHDRSZ + reinterpret_cast<expanded*>(header)->value_.packed_size();
  }
  static void pack(ExpandedObjectHeader* header, void* result, std::size_t size) noexcept {
    SET_VARSIZE(result, size);
    reinterpret_cast<expanded*>(header)->value_.pack(reinterpret_cast<std::byte*>(VARDATA(result)));
  }
  static constexpr ExpandedObjectMethods methods = {.get_flat_size = packed_size,
                                                    .flatten_into = pack};

  ExpandedObjectHeader header_{};  // first: PostgreSQL points at it
  context_resource memory_;
  T value_;
};

/// A value to read, whichever form it has; `packed` counts only without `object`.  `Type` is its
/// SQL type where that is one of PostgreSQL's own.
template <typename T, Oid Type = InvalidOid>
struct expandable {
  const T* object;
  std::span<const std::byte> packed;

  /// The object; one that lives as long as the current memory context when it was packed.
  [[nodiscard]] const T& get() const {
    if (object != nullptr) return *object;
    struct holder {
      context_resource memory;
      T value{&memory};
    };
    auto* const unpacked = std::construct_at(static_cast<holder*>(allocate(sizeof(holder))));
    // Checked by the type: bytes may come from anywhere that the type's input or a dump allows.
    unpacked->value.merge(packed);
    return unpacked->value;
  }
};

template <typename T, Oid Type>
struct datum_traits<expandable<T, Type>> {
  static constexpr Oid oid = Type;  // invalid: known to the catalog alone
  static expandable<T, Type> from(Datum datum) {
    if (auto* const object = expanded<T>::of(datum)) return {&object->value(), {}};
    return {nullptr, datum_traits<std::span<const std::byte>>::from(datum)};
  }
};

/// The state of an aggregate: first argument and result of its transition functions.
template <typename T, Oid Type = InvalidOid>
struct aggregate_state {
  expanded<T>* object;
  T* operator->() const noexcept { return &object->value(); }
};

template <typename T, Oid Type>
struct datum_traits<aggregate_state<T, Type>> {
  static constexpr Oid oid = Type;

  /// The state itself when it may be written to; else a fresh one of the same value.
  static aggregate_state<T, Type> from_call(FunctionCallInfo fcinfo, std::size_t index) {
    const NullableDatum& state = fcinfo->args[index];
    // A read-write pointer says that nobody else looks at the object.
    if (!state.isnull && VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(state.value))) {
      if (auto* const object = expanded<T>::of(state.value)) return {object};
    }
    MemoryContext parent = nullptr;
    // 0 when called by hand instead of by an aggregate: then nobody keeps the state but the query.
    if (AggCheckCallContext(fcinfo, &parent) == 0) parent = CurrentMemoryContext;
    aggregate_state<T, Type> fresh{expanded<T>::make(parent)};
    if (!state.isnull) {
      const auto before = datum_traits<expandable<T>>::from(state.value);
      if (before.object != nullptr) {
        fresh->merge(*before.object);
      } else {
        fresh->merge(before.packed);
      }
    }
    return fresh;
  }
  static Datum to(aggregate_state<T, Type> state) noexcept { return state.object->to_datum(); }
};

/// The state of an aggregate that stays as it came, packed or not, until it is asked to open:
/// memory for an object is worth its while only when there is something to add up.
template <typename T>
struct unopened_state {
  FunctionCallInfo call;
  std::size_t index;

  [[nodiscard]] bool is_null() const noexcept { return call->args[index].isnull; }
  [[nodiscard]] Datum datum() const noexcept { return call->args[index].value; }
  /// Empty when there is an object.
  [[nodiscard]] std::span<const std::byte> packed() const {
    if (is_null() || expanded<T>::of(datum()) != nullptr) return {};
    return datum_traits<std::span<const std::byte>>::from(datum());
  }
  [[nodiscard]] aggregate_state<T> open() const {
    return datum_traits<aggregate_state<T>>::from_call(call, index);
  }
};

template <typename T>
struct datum_traits<unopened_state<T>> {
  static constexpr Oid oid = InvalidOid;  // known to the catalog alone
  static unopened_state<T> from_call(FunctionCallInfo fcinfo, std::size_t index) noexcept {
    return {fcinfo, index};
  }
};

/// What becomes of such a state: itself, or a packed one, which PostgreSQL copies to where it keeps
/// states.
template <typename T>
struct next_state {
  Datum value;
};

template <typename T>
struct datum_traits<next_state<T>> {
  static constexpr Oid oid = InvalidOid;  // known to the catalog alone
  static Datum to(next_state<T> state) noexcept { return state.value; }
};

/// The state of an aggregate as its result.  PostgreSQL 15 packs an expanded object that it does
/// not find in its own memory, only for the next function to unpack it; what it finds is this
/// pointer. The object stays where it was, as from PostgreSQL 16 on, until the next group.
template <typename T>
struct aggregate_result {
  Datum value;
};

template <typename T>
struct datum_traits<aggregate_result<T>> {
  static constexpr Oid oid = InvalidOid;  // known to the catalog alone
  static aggregate_result<T> from(Datum datum) noexcept { return {datum}; }
  static Datum to(aggregate_result<T> result) {
    if (expanded<T>::of(result.value) == nullptr) return result.value;
    void* const pointer = allocate(EXPANDED_POINTER_SIZE);
    std::memcpy(pointer, DatumGetPointer(EOHPGetRODatum(DatumGetEOHP(result.value))),
                EXPANDED_POINTER_SIZE);
    return PointerGetDatum(pointer);
  }
};

}  // namespace pg
