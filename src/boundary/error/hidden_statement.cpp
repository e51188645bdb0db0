// Statements whose text must not be in the log.
#include "boundary/error/hidden_statement.h"

#include <cstring>

#include "boundary/error/guard.h"

extern "C" {
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
}

namespace pg {
namespace {

// Compared by address, not by text: debug_query_string is this pointer while the statement runs
// and another from the next one on.
const char* hidden_text = nullptr;
const char* hidden_parameters = nullptr;
emit_log_hook_type next_hook = nullptr;

/// In every language of messages a list of parameters begins so.
bool lists_parameters(const char* text) {
  return text != nullptr && std::strstr(text, "$1 = ") != nullptr;
}

void leave_out_parameters(ErrorData* entry) {
  if (hidden_parameters == nullptr || debug_query_string == nullptr ||
      strcasestr(debug_query_string, hidden_parameters) == nullptr)
    return;
  // DETAIL is where log_statement and log_min_duration_statement put parameters, CONTEXT where
  // log_parameter_max_length_on_error does.
  if (lists_parameters(entry->detail)) entry->detail = nullptr;
  if (lists_parameters(entry->context)) entry->hide_ctx = true;
}

// Besides STATEMENT there are CONTEXT and QUERY, which quote statements that the hidden one runs:
// PL/pgSQL and SPI add them to every entry, whoever makes it.
void leave_out_quotations(ErrorData* entry) {
  if (hidden_text != nullptr && debug_query_string == hidden_text) {
    entry->hide_ctx = true;
    entry->internalquery = nullptr;
    entry->internalpos = 0;
  }
  leave_out_parameters(entry);
  if (next_hook != nullptr) next_hook(entry);
}

}  // namespace

void hide_statement(const char* instead) {
  hidden_text = instead;
  debug_query_string = instead;
  guarded([instead] { pgstat_report_activity(STATE_RUNNING, instead); });
}

void hide_parameters_of(const char* word) { hidden_parameters = word; }

void watch_log_entries() {
  next_hook = emit_log_hook;
  emit_log_hook = leave_out_quotations;
}

}  // namespace pg
