#pragma once

namespace pg {

/// Puts `instead` in place of the statement that runs: in pg_stat_activity, and in whatever the
/// server's log says until it ends.  `instead` lasts as long as the process.
void hide_statement(const char* instead);

/// Keeps the parameters of statements that have this word in their text out of the server's log,
/// which has them beside the statement and in what an error says of its place.
void hide_parameters_of(const char* word);

/// Once, from _PG_init: entries of the log about a hidden statement lose what quotes it.
void watch_log_entries();

}  // namespace pg
