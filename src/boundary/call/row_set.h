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
struct binding_of<void (*)(row_set&, Args...), Function>
    : detail::binding_with<row_set, RECORDOID, detail::is_strict<Args...>, Function, Args...> {};

}  // namespace pg
