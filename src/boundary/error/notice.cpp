#include "boundary/error/notice.h"

#include "boundary/error/guard.h"

extern "C" {
#include "utils/guc.h"
}

namespace pg {

void notice(const char* message, const char* hint) {
  guarded([&] {
    // CREATE EXTENSION raises client_min_messages to warning while its script runs.
    const int level = NewGUCNestLevel();
    set_config_option("client_min_messages", "notice", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                      true, 0, false);
    ereport(NOTICE, errmsg_internal("%s", message), hint == nullptr ? 0 : errhint("%s", hint));
    AtEOXact_GUC(true, level);
  });
}

}  // namespace pg
