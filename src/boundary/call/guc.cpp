#include "boundary/call/guc.h"

#include <span>

extern "C" {
#include "utils/guc_tables.h"
}

namespace pg {
namespace {

/// The setting as guc.c keeps it; nullptr when nobody has ever named it.
const config_generic* find_setting(const char* name) {
#if PG_VERSION_NUM >= 160000
  // Makes no placeholder for a name that nobody has used, and reports nothing.
  return find_option(name, false, true, 0);
#else
  const std::span settings(get_guc_variables(), static_cast<std::size_t>(GetNumConfigOptions()));
  for (const config_generic* const setting : settings) {
    if (std::strcmp(setting->name, name) == 0) return setting;
  }
  return nullptr;
#endif
}

bool is_set(const char* text) noexcept { return text != nullptr && *text != '\0'; }

}  // namespace

bool has_session_value(const char* name) {
  const config_generic* const setting = find_setting(name);
  // Placeholders for undefined settings are always of type string.
  if (setting == nullptr || setting->vartype != PGC_STRING) return false;
  const GucStack* change = setting->stack;
  // The bottom entry of the stack keeps the value of before the first change in this transaction;
  // without a stack, the value in force is that of the session.
  if (change == nullptr) return is_set(*reinterpret_cast<const config_string*>(setting)->variable);
  while (change->prev != nullptr) change = change->prev;
  return is_set(change->prior.val.stringval);  // NOLINT(*-union-access): the type says which
}

}  // namespace pg
