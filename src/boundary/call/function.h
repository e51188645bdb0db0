#pragma once

/// Makes C++ functions callable from SQL: PG_EXPORT(symbol, function) at the end of the file.
///
/// procedure.h and trigger.h bind functions that take a pg::procedure_call or a pg::trigger_call.

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

#include "boundary/error/error.h"
#include "boundary/error/guard.h"
#include "boundary/value/datum.h"

namespace pg {

/// A result of fixed size that is passed by reference and kept with the place in the query that
/// calls: no allocation for each row.  As with memory of the row, it holds until the next call.
template <typename T>
struct at_call_site {
  T value;
};

template <typename T>
struct datum_traits<at_call_site<T>> {
  static constexpr Oid oid = datum_traits<T>::oid;
};

namespace detail {

template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// An argument that depends on the call as a whole, such as the state of an aggregate; it may be
/// null and says itself what that means.
template <typename T>
concept call_argument =
    requires(FunctionCallInfo fcinfo) { datum_traits<T>::from_call(fcinfo, std::size_t{}); };

/// Argument `index` as T; throws 22004 for a null where T cannot be one.
template <typename T>
T argument(FunctionCallInfo fcinfo, std::size_t index) {
  static_assert(std::is_trivially_destructible_v<T>,
                "take a view: detoasting the next argument may jump over this one");
  const NullableDatum& datum = fcinfo->args[index];
  if constexpr (call_argument<T>) {
    return datum_traits<T>::from_call(fcinfo, index);
  } else if constexpr (is_optional<T>) {
    if (datum.isnull) return std::nullopt;
  } else {
    if (datum.isnull) [[unlikely]]
      throw_null_argument();
  }
  if constexpr (!call_argument<T>) return datum_traits<T>::from(datum.value);
}

template <typename T>
Datum to_datum(FunctionCallInfo /*fcinfo*/, const T& value) {
  return datum_traits<T>::to(value);
}

template <typename T>
Datum to_datum(FunctionCallInfo fcinfo, const at_call_site<T>& result) {
  static_assert(std::is_trivially_copyable_v<T>);
  FmgrInfo* const place = fcinfo->flinfo;
  // DirectFunctionCall() brings no FmgrInfo, hence no place to keep the result at.
  if (place == nullptr) return datum_traits<T>::to(result.value);
  // fn_extra belongs to the result: such a function must not keep anything else there.
  if (place->fn_extra == nullptr) place->fn_extra = allocate(sizeof(T), place->fn_mcxt);
  return PointerGetDatum(std::memcpy(place->fn_extra, &result.value, sizeof(T)));
}

/// A result as PostgreSQL takes it: a null is told in `fcinfo`, beside the Datum.
template <typename T>
Datum result(FunctionCallInfo fcinfo, const T& value) {
  if constexpr (is_optional<T>) {
    if (!value.has_value()) {
      fcinfo->isnull = true;
      return Datum{0};
    }
    return to_datum(fcinfo, *value);
  } else {
    return to_datum(fcinfo, value);
  }
}

}  // namespace detail

/// The SQL signature that a C++ function implies; the test suite compares it with pg_proc.
struct signature {
  const char* symbol;
  const Oid* types;   ///< result type first, then `arity` argument types
  std::size_t arity;  ///< of arguments; `types` has one more
  bool strict;        ///< whether a null argument would be refused, so that SQL has to say STRICT
};

namespace detail {

/// Runs `body`, with exceptions turned to ERRORs.
template <typename Body>
Datum reporting(FunctionCallInfo fcinfo, const Body& body) {
  const failure* failed = nullptr;
  try {
    return body();
  } catch (...) {
    failed = &describe_current_exception();
  }
  report(*failed, fcinfo->context);  // not in the handler: the jump would leak the exception
  return Datum{0};
}

}  // namespace detail

/// Calls `Function` for PostgreSQL: Datums in, Datum out, exceptions to ERRORs.
/// Undefined but for the kinds of function specialised here, in procedure.h and in trigger.h.
template <typename Type, auto Function>
struct binding_of;

namespace detail {

template <typename... Args>
inline constexpr bool is_strict = (!(is_optional<Args> || call_argument<Args>) && ...);

/// For functions whose first argument is what the call is to PostgreSQL, and none of SQL's.
template <typename Call, Oid Result, bool Strict, auto Function, typename... Args>
struct binding_with {
  static constexpr std::array<Oid, sizeof...(Args) + 1> types = {Result,
                                                                 datum_traits<Args>::oid...};
  static constexpr bool strict = Strict;

  static Datum call(FunctionCallInfo fcinfo) {
    return reporting(fcinfo, [fcinfo] {
      invoke(fcinfo, std::index_sequence_for<Args...>());
      return Datum{0};
    });
  }

 private:
  template <std::size_t... Index>
  static void invoke(FunctionCallInfo fcinfo, std::index_sequence<Index...> /*index*/) {
    Call call(fcinfo);
    Function(call, argument<Args>(fcinfo, Index)...);
  }
};

}  // namespace detail

template <typename Result, typename... Args, auto Function>
struct binding_of<Result (*)(Args...), Function> {
  static constexpr std::array<Oid, sizeof...(Args) + 1> types = {datum_traits<Result>::oid,
                                                                 datum_traits<Args>::oid...};
  // SQL has to declare the same: without STRICT, PostgreSQL would pass nulls that are refused here.
  static constexpr bool strict = detail::is_strict<Args...>;

  static Datum call(FunctionCallInfo fcinfo) {
    // Reading arguments may raise an ERROR that jumps past these frames: all that they hold are
    // views, which have no destructors to skip.
    return detail::reporting(
        fcinfo, [fcinfo] { return invoke(fcinfo, std::index_sequence_for<Args...>()); });
  }

 private:
  template <std::size_t... Index>
  static Datum invoke(FunctionCallInfo fcinfo, std::index_sequence<Index...> /*index*/) {
    if constexpr (std::is_void_v<Result>) {
      Function(detail::argument<Args>(fcinfo, Index)...);
      return Datum{0};
    } else {
      return detail::result<Result>(fcinfo, Function(detail::argument<Args>(fcinfo, Index)...));
    }
  }
};

template <auto Function>
using binding = binding_of<decltype(Function), Function>;

/// The same, for functions that `Check` is asked about first: it takes the routine's Oid.
template <auto Function, void (*Check)(Oid)>
struct checked_binding : binding<Function> {
  static Datum call(FunctionCallInfo fcinfo) {
    detail::reporting(fcinfo, [fcinfo] {
      if (fcinfo->flinfo != nullptr) Check(fcinfo->flinfo->fn_oid);
      return Datum{0};
    });
    return binding<Function>::call(fcinfo);
  }
};

}  // namespace pg

/// Makes a C++ function callable from SQL as `symbol`: a function, procedure or trigger, by what
/// it takes.  Its signature goes to a section of its own, where tests find it.
#define PG_EXPORT(symbol, function) PG_EXPORT_BINDING(symbol, ::pg::binding<&(function)>)

/// As PG_EXPORT, for functions that call `check` with the routine's Oid first.
#define PG_EXPORT_CHECKED(symbol, check, function) \
  PG_EXPORT_BINDING(symbol, ::pg::checked_binding<&(function), &(check)>)

#define PG_EXPORT_BINDING(symbol, ...)                                                     \
  extern "C" {                                                                             \
  _Pragma("GCC visibility push(default)") PG_FUNCTION_INFO_V1(symbol);                     \
  Datum symbol(PG_FUNCTION_ARGS);                                                          \
  _Pragma("GCC visibility pop") Datum symbol(PG_FUNCTION_ARGS) {                           \
    return __VA_ARGS__::call(fcinfo);                                                      \
  }                                                                                        \
  }                                                                                        \
  [[gnu::used,                                                                             \
    gnu::section("pg_signatures")]] constinit const ::pg::signature symbol##_signature = { \
      #symbol, __VA_ARGS__::types.data(), __VA_ARGS__::types.size() - 1, __VA_ARGS__::strict}
