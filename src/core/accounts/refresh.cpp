#include "core/accounts/refresh.h"

#include <algorithm>

namespace vrm::refresh {

use rotate(lockout::entry& session, std::int64_t counter, std::int64_t known,
           lockout::moment now) noexcept {
  if (session.locked_until > now) return use::ended;
  if (counter >= std::max(session.value, known)) {
    session.value = counter + 1;
    session.last = now;
    return use::first;
  }
  if (counter + 1 == session.value && session.last >= now - grace) return use::again;
  session.locked_until = now + life;
  session.last = now;
  return use::reused;
}

}  // namespace vrm::refresh
