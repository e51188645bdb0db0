#pragma once

namespace pg {

/// A table that the code knows by name.
struct known_table {
  const char* schema;
  const char* name;
  const char* remedy;  ///< the HINT when it is missing: a statement that makes it
};

}  // namespace pg
