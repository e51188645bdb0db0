// The module's magic block and what happens when it is loaded.
#include "boundary/call/function.h"
#include "boundary/call/guc.h"
#include "boundary/memory/freed_memory.h"
#include "functions/platform/settings.h"

extern "C" {
#pragma GCC visibility push(default)
#ifdef PG_MODULE_MAGIC_EXT
PG_MODULE_MAGIC_EXT(.name = "vrm", .version = VRM_VERSION);
#else
PG_MODULE_MAGIC;
#endif
void _PG_init(void);  // NOLINT(bugprone-reserved-identifier): PostgreSQL's name
#pragma GCC visibility pop

// Runs in the postmaster when the library is preloaded, else in the first backend that needs it:
// no transaction and no catalog may be counted on.
void _PG_init(void) {
  pg::keep_freed_memory();
  vrm::sql::define_platform_settings();
  vrm::sql::define_identity_settings();
  vrm::sql::define_login_settings();
  vrm::sql::watch_grants();
  vrm::sql::watch_signing_keys();
  vrm::sql::watch_account_locks();
  vrm::sql::watch_sessions();
  vrm::sql::watch_linked_identities();
  vrm::sql::define_acting_settings();
  vrm::sql::watch_memberships();
  vrm::sql::watch_for_forgotten_logins();
  vrm::sql::watch_rpc_functions();
  vrm::sql::hide_rpc_parameters();
  vrm::sql::define_http_settings();
  vrm::sql::define_lockout_settings();
  vrm::sql::watch_lockout_columns();
  vrm::sql::define_password_settings();
  vrm::sql::define_master_key_settings();
  vrm::sql::define_secrets_settings();
  vrm::sql::watch_queue();
  MarkGUCPrefixReserved("vrm");  // last: it drops placeholders that nobody has defined
}
}
