#pragma once

#include "boundary/table/known_table.h"

namespace vrm::sql {

/// A table that vrm.install() makes.
constexpr pg::known_table platform_table(const char* schema, const char* name) {
  return {.schema = schema, .name = name, .remedy = "SELECT vrm.install();"};
}

}  // namespace vrm::sql
