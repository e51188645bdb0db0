#pragma once

namespace pg {

/// Puts `instead` in place of the statement that runs: in pg_stat_activity, and in whatever the
/// server's log says until it ends.  `instead` lasts as long as the process.
void hide_statement(const char* instead);

/// Once, from _PG_init: entries of the log about a hidden statement lose what quotes it.
void watch_log_entries();

}  // namespace pg
