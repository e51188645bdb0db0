#pragma once

#include "boundary/backend.h"

namespace vrm::sql {

/// Throws 42501 when the caller may execute the routine only because PUBLIC, anon or authenticated
/// were granted it: what administers is for roles that were granted it, or what calls it, by name.
void require_grant(Oid routine);

}  // namespace vrm::sql
