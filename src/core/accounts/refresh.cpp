#include "core/accounts/refresh.h"

#include <algorithm>

namespace vrm::refresh {

use rotate(lockout::entry& session, std::int64_t counter, std::int64_t known,
           lockout::moment now) noexcept {
  if (session.locked_until > now) return use::ended;
  // `value` is the number of the only token that is good now; what is beyond it was given out
  // before the store lost its latest changes.
  if (counter >= std::max(session.value, known)) {
    session.value = counter + 1;
    session.last = now;
    return use::first;
  }
  if (counter + 1 == session.value && session.last >= now - grace) return use::again;
  // A spent token: whether the thief or the owner is late nobody can tell, so it ends for both, for
  // as long as any token of the session might be good.
  session.locked_until = now + life;
  session.last = now;
  return use::reused;
}

}  // namespace vrm::refresh
