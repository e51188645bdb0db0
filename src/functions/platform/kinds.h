#pragma once

#include "boundary/backend.h"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace vrm::sql {

/// What a statement of the platform makes, and how to tell whether that is there.
struct kind {
  NodeTag tag = T_Invalid;
  Oid (*find)(Node*) = nullptr;          ///< what is there already; else InvalidOid
  Oid catalog = InvalidOid;              ///< of what is made, when it has an owner of its own
  bool repeats = false;                  ///< copes by itself with what is there
  bool carries_privileges = false;       ///< what is made is named by GRANT and REVOKE
  bool (*makes)(const Node*) = nullptr;  ///< whether this one makes anything; nullptr: all do
};

/// The kind of what `statement` makes; nullptr when that is nothing that could be looked for.
[[nodiscard]] const kind* kind_of(const Node* statement) noexcept;

/// Throws 42501 when an ordinary user owns `existing`: functions of the platform run as superuser,
/// and who owns one could replace it, who owns a table could put a trigger on it.
void require_trusted_owner(const kind& kind, Oid existing);

/// InvalidOid when there is none.  Not locked.
[[nodiscard]] Oid find_relation(const RangeVar* name);

}  // namespace vrm::sql
