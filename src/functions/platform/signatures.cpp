// Lets the test suite compare what SQL says of each native function with what C++ says.
#include <span>
#include <string>

#include "boundary/call/function.h"

extern "C" {
extern const pg::signature __start_pg_signatures[];  // NOLINT(bugprone-reserved-identifier)
extern const pg::signature __stop_pg_signatures[];   // NOLINT(bugprone-reserved-identifier)
}

namespace vrm::sql {

/// One line a function: symbol, strictness, result type and argument types as OIDs.
std::string native_signatures() {
  std::string lines;
  for (const pg::signature& function : std::span(__start_pg_signatures, __stop_pg_signatures)) {
    lines.append(function.symbol).append(function.strict ? " t" : " f");
    for (const Oid type : std::span(function.types, function.arity + 1)) {
      lines.append(" ").append(std::to_string(type));
    }
    lines.append("\n");
  }
  return lines;
}

}  // namespace vrm::sql

PG_EXPORT(vrm_native_signatures, vrm::sql::native_signatures);
