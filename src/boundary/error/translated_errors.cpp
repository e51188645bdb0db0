#include "boundary/error/translated_errors.h"

#include "boundary/backend.h"

namespace pg {
namespace {

int (*translation)(int sqlerrcode) noexcept = nullptr;
emit_log_hook_type next_hook = nullptr;

void translate_entry(ErrorData* entry) {
  // Hooks from before this one see the SQLSTATE as it was raised.
  if (next_hook != nullptr) next_hook(entry);
  if (entry->elevel == ERROR && entry->output_to_client)
    entry->sqlerrcode = translation(entry->sqlerrcode);
}

}  // namespace

void translate_errors(int (*translate)(int sqlerrcode) noexcept) {
  translation = translate;
  next_hook = emit_log_hook;
  emit_log_hook = translate_entry;
}

}  // namespace pg
