#pragma once

#include <string>

#include "boundary/backend.h"
#include "boundary/error/guard.h"
#include "core/platform/error.h"

extern "C" {
#include "access/xact.h"
#include "utils/acl.h"
#include "utils/guc.h"
}

namespace pg {

/// Runs what others have written, for a scope: with the rights of one role and no way back to
/// others, reading only, with a safe search_path, without row level security hiding rows.
///
/// That is how PostgreSQL itself runs the functions of indexes and materialized views.  The caller
/// must be able to become the role; whatever is set meanwhile is undone at the end.
class restricted_scope {
 public:
  /// Throws vrm::error 42501 when the current user may not become `role`; an ERROR 42704 when there
  /// is no such role.
  explicit restricted_scope(const char* role) {
    GetUserIdAndSecContext(&outer_user_, &outer_context_);
    const Oid user = guarded([&] { return get_role_oid(role, false); });
    if (!guarded([&] { return may_become(outer_user_, user); })) {
      throw vrm::error("42501", "permission denied to act as role \"" + std::string(role) + "\"")
          .hint("Let a member of that role do it.");
    }
    guc_level_ = NewGUCNestLevel();
    try {
      guarded([] {
        const auto set = [](const char* name, const char* value) {
          set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                            false);
        };
        set("search_path", "pg_catalog, pg_temp");
        // Off: a query that a policy would filter fails, rather than judging by some rows.
        set("row_security", "off");
        // Literals end where those who wrote and reviewed the text saw them end.
        set("standard_conforming_strings", "on");
        set("timezone", "UTC");
      });
    } catch (...) {
      AtEOXact_GUC(false, guc_level_);
      throw;
    }
    // Not by SET, which the code inside could undo with another SET.
    XactReadOnly = true;
    // Last, because a constructor that throws leaves nothing to its destructor.
    SetUserIdAndSecContext(
        user, outer_context_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
  }
  ~restricted_scope() {
    SetUserIdAndSecContext(outer_user_, outer_context_);
    XactReadOnly = outer_read_only_;
    AtEOXact_GUC(false, guc_level_);
  }
  restricted_scope(const restricted_scope&) = delete;
  restricted_scope& operator=(const restricted_scope&) = delete;

 private:
  /// Since PostgreSQL 16 membership may come without the right to SET ROLE.
  static bool may_become(Oid member, Oid role) {
#if PG_VERSION_NUM >= 160000
    return member_can_set_role(member, role);
#else
    return is_member_of_role(member, role);
#endif
  }

  Oid outer_user_ = InvalidOid;
  int outer_context_ = 0;
  int guc_level_ = 0;
  bool outer_read_only_ = XactReadOnly;
};

}  // namespace pg
