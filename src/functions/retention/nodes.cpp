// The foreign-data wrapper of months of the archive that are on other nodes.
#include <array>

#include "boundary/call/signatures.h"
#include "boundary/foreign/node_table.h"

// The handler throws nothing, so it needs no binding; its signature is on record all the same.
namespace {
constexpr std::array<Oid, 1> handler_types = {FDW_HANDLEROID};
}
[[gnu::used,
  gnu::section("pg_signatures")]] constinit const pg::signature vrm_nodes_handler_signature = {
    "vrm_nodes_handler", handler_types.data(), 0, true};

extern "C" {
#pragma GCC visibility push(default)
PG_FUNCTION_INFO_V1(vrm_nodes_handler);
Datum vrm_nodes_handler(PG_FUNCTION_ARGS);
#pragma GCC visibility pop

Datum vrm_nodes_handler(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return PointerGetDatum(pg::nodes::routine());
}
}
