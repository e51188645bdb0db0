// Statements whose text must not be in the log.
#include "boundary/error/hidden_statement.h"

#include "boundary/error/guard.h"

extern "C" {
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
}

namespace pg {
namespace {

const char* hidden_text = nullptr;
emit_log_hook_type next_hook = nullptr;

// Besides STATEMENT there are CONTEXT and QUERY, which quote statements that the hidden one runs:
// PL/pgSQL and SPI add them to every entry, whoever makes it.
void leave_out_quotations(ErrorData* entry) {
  if (hidden_text != nullptr && debug_query_string == hidden_text) {
    entry->hide_ctx = true;
    entry->internalquery = nullptr;
    entry->internalpos = 0;
  }
  if (next_hook != nullptr) next_hook(entry);
}

}  // namespace

void hide_statement(const char* instead) {
  hidden_text = instead;
  debug_query_string = instead;
  guarded([instead] { pgstat_report_activity(STATE_RUNNING, instead); });
}

void watch_log_entries() {
  next_hook = emit_log_hook;
  emit_log_hook = leave_out_quotations;
}

}  // namespace pg
