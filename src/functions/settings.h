#pragma once

namespace vrm::sql {

/// Each topic defines its settings when the module is loaded; _PG_init calls them in turn.
void define_platform_settings();
void define_identity_settings();
void define_login_settings();
void watch_signing_keys();
void define_lockout_settings();

}  // namespace vrm::sql
