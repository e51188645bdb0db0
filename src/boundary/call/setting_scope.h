#pragma once

#include "boundary/error/guard.h"

extern "C" {
#include "utils/guc.h"
}

namespace pg {

/// Settings for a scope: what is set meanwhile, by whomever, is undone at its end.
class setting_scope {
 public:
  setting_scope() : level_(NewGUCNestLevel()) {}
  ~setting_scope() { AtEOXact_GUC(false, level_); }
  setting_scope(const setting_scope&) = delete;
  setting_scope& operator=(const setting_scope&) = delete;

  /// As a superuser would set it, unless `context` says otherwise.
  void set(const char* name, const char* value, GucContext context = PGC_SUSET) const {
    guarded([=] {
      set_config_option(name, value, context, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    });
  }

 private:
  int level_;
};

}  // namespace pg
