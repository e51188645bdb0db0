#pragma once

#include <span>
#include <string>

#include "boundary/call/function.h"

extern "C" {
// Made by the linker, for each module: where its section of signatures begins and ends.
extern const pg::signature __start_pg_signatures[];  // NOLINT(bugprone-reserved-identifier)
extern const pg::signature __stop_pg_signatures[];   // NOLINT(bugprone-reserved-identifier)
}

namespace pg {

/// What this module exports, one line a function: symbol, strictness, result type and argument
/// types as OIDs.
inline std::string signatures() {
  std::string lines;
  for (const signature& function : std::span(__start_pg_signatures, __stop_pg_signatures)) {
    lines.append(function.symbol).append(function.strict ? " t" : " f");
    for (const Oid type : std::span(function.types, function.arity + 1)) {
      lines.append(" ").append(std::to_string(type));
    }
    lines.append("\n");
  }
  return lines;
}

}  // namespace pg
