#pragma once

namespace pg {

/// A NOTICE with an optional HINT.
void notice(const char* message, const char* hint);

}  // namespace pg
