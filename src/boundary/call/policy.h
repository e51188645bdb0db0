#pragma once

/// Conditions of policies that are not about the row: asked once for a statement, by whatever plan.
///
/// A subquery would do that, too, but Citus takes none in policies; and a bare function is called
/// for each row, because conditions of policies are never made a filter of the whole scan.

#include "boundary/call/function.h"

extern "C" {
#include "access/xact.h"
#include "nodes/supportnodes.h"
}

namespace pg {

/// Keeps the answer with the place in the query that calls, until the next statement of the client:
/// what PL/pgSQL keeps of an expression lasts longer than the statement that it belongs to.
template <bool (*Function)()>
struct once_binding {
  static constexpr std::array<Oid, 1> types = {BOOLOID};
  static constexpr bool strict = true;

  static Datum call(FunctionCallInfo fcinfo) {
    return detail::reporting(fcinfo, [fcinfo] { return BoolGetDatum(ask(fcinfo->flinfo)); });
  }

 private:
  struct answer {
    TimestampTz statement;
    bool value;
  };

  static bool ask(FmgrInfo* place) {
    if (place == nullptr) return Function();
    const TimestampTz statement = GetCurrentStatementStartTimestamp();
    const auto* const kept = static_cast<answer*>(place->fn_extra);
    if (kept != nullptr && kept->statement == statement) return kept->value;
    const answer now = {.statement = statement, .value = Function()};
    if (place->fn_extra == nullptr) place->fn_extra = allocate(sizeof(answer), place->fn_mcxt);
    *static_cast<answer*>(place->fn_extra) = now;
    return now.value;
  }
};

/// For the planner: such a condition is true of all rows, else nobody reads any.
inline Node* expect_all_rows(Node* request) noexcept {
  if (!IsA(request, SupportRequestSelectivity)) return nullptr;
  reinterpret_cast<SupportRequestSelectivity*>(request)->selectivity = 1.0;
  return request;
}

}  // namespace pg
