#pragma once

namespace vrm::sql {

/// Each topic defines its settings when the module is loaded; _PG_init calls them in turn.
void define_platform_settings();
void define_identity_settings();
void define_login_settings();
// Those that watch register callbacks, of which PostgreSQL has few and takes none back: once each.
void watch_grants();
void watch_signing_keys();
void watch_account_locks();
void watch_sessions();
void watch_linked_identities();
void define_acting_settings();
void watch_memberships();
void watch_for_forgotten_logins();
void watch_rpc_functions();
void hide_rpc_parameters();
void define_http_settings();
void define_lockout_settings();
void watch_lockout_columns();
void define_password_settings();
void define_master_key_settings();
void define_secrets_settings();
void watch_keyring();

}  // namespace vrm::sql
