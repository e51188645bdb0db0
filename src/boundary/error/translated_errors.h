#pragma once

namespace pg {

/// Once, from _PG_init: gives errors another SQLSTATE on their way to the client.  `translate`
/// takes the packed SQLSTATE, returns the one to send, and neither throws nor allocates.
///
/// PostgreSQL asks for errors that the server's log gets as well: with log_min_messages above
/// `error` none is translated.
void translate_errors(int (*translate)(int sqlerrcode) noexcept);

}  // namespace pg
