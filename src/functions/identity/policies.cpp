// What restrictive policies ask: whether who calls may act at all.
#include "boundary/call/policy.h"
#include "functions/identity/account_problem.h"

namespace vrm::sql {
namespace {

bool may_act() { return !account_problem().has_value(); }

constexpr std::array<Oid, 2> support_types = {INTERNALOID, INTERNALOID};

}  // namespace
}  // namespace vrm::sql

PG_EXPORT_BINDING(vrm_may_act, ::pg::once_binding<&vrm::sql::may_act>);

[[gnu::used,
  gnu::section("pg_signatures")]] constinit const pg::signature vrm_policy_support_signature = {
    "vrm_policy_support", vrm::sql::support_types.data(), 1, true};

extern "C" {
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(vrm_policy_support);
Datum vrm_policy_support(PG_FUNCTION_ARGS);
#pragma GCC visibility pop

Datum vrm_policy_support(PG_FUNCTION_ARGS) {
  return PointerGetDatum(
      pg::expect_all_rows(reinterpret_cast<Node*>(DatumGetPointer(fcinfo->args[0].value))));
}
}
