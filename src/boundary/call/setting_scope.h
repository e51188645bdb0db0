#pragma once

#include "boundary/error/guard.h"

extern "C" {
#include "utils/guc.h"
}

namespace pg {

/// Settings for a scope: what is set meanwhile, by whomever, is undone at its end.
class setting_scope {
 public:
  // A new nest level takes the changes of SET LOCAL, of set_config() and of set() alike.
  setting_scope() : level_(NewGUCNestLevel()) {}
  // `false`: undone as by a rollback.
  ~setting_scope() { AtEOXact_GUC(false, level_); }
  setting_scope(const setting_scope&) = delete;
  setting_scope& operator=(const setting_scope&) = delete;

  /// As a superuser would set it, unless `context` says otherwise.
  /// An ERROR when the setting does not exist or refuses the value.
  void set(const char* name, const char* value, GucContext context = PGC_SUSET) const {
    guarded([=] {
      set_config_option(name, value, context, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    });
  }

 private:
  int level_;
};

}  // namespace pg
