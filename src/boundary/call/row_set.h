#pragma once

#include <array>
#include <span>
#include <utility>

#include "boundary/call/function.h"

extern "C" {
#include "funcapi.h"
#include "utils/tuplestore.h"
}

namespace pg {

/// The rows of a function that RETURNS TABLE, all of which are there when it returns.
class row_set {
 public:
  explicit row_set(FunctionCallInfo fcinfo)
      : result_(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo)) {
    guarded([&] { InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC); });
  }

  /// Copies a row, with a value for each column of the result.
  void add(std::span<const Datum> values, std::span<const bool> nulls) const {
    guarded([&] {
      tuplestore_putvalues(result_->setResult, result_->setDesc, const_cast<Datum*>(values.data()),
                           const_cast<bool*>(nulls.data()));
    });
  }

 private:
  ReturnSetInfo* result_;
};

/// Calls a C++ function that returns rows for PostgreSQL.
template <typename... Args, auto Function>
struct binding_of<void (*)(row_set&, Args...), Function> {
  static constexpr std::array<Oid, sizeof...(Args) + 1> types = {RECORDOID,
                                                                 datum_traits<Args>::oid...};
  static constexpr bool strict =
      (!(detail::is_optional<Args> || detail::call_argument<Args>) && ...);

  static Datum call(FunctionCallInfo fcinfo) {
    return detail::reporting([fcinfo] {
      invoke(fcinfo, std::index_sequence_for<Args...>());
      return Datum{0};
    });
  }

 private:
  template <std::size_t... Index>
  static void invoke(FunctionCallInfo fcinfo, std::index_sequence<Index...> /*index*/) {
    row_set rows(fcinfo);
    Function(rows, detail::argument<Args>(fcinfo, Index)...);
  }
};

}  // namespace pg
