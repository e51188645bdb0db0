#pragma once

#include "boundary/backend.h"

extern "C" {
#include "catalog/namespace.h"
#include "utils/lsyscache.h"
}

namespace pg {

/// A table that the code knows by name.
struct known_table {
  const char* schema;
  const char* name;
  const char* remedy;  ///< the HINT when it is missing: a statement that makes it
};

/// An ERROR 42P01, with the table's remedy as HINT, when it is missing.  Runs inside a guard.
[[nodiscard]] inline Oid oid_of(const known_table& table) {
  const Oid found = get_relname_relid(table.name, get_namespace_oid(table.schema, false));
  if (!OidIsValid(found)) {
    ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
            errmsg("relation \"%s.%s\" does not exist", table.schema, table.name),
            errhint("%s", table.remedy));
  }
  return found;
}

}  // namespace pg
