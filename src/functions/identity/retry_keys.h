#pragma once

#include <optional>
#include <string_view>

#include "boundary/value/jsonb.h"

/// Keys by which clients repeat a call that they do not know the end of: it happens once, and is
/// answered each time.  A key is its user's, for a day.
namespace vrm::sql::retry_keys {

/// The call that a key stands for.
struct keyed_call {
  std::string_view key;
  std::string_view function;
  pg::jsonb arguments;
};

/// An array with the answer that the call has had, or nothing when it is the first of its key,
/// which then is taken; who else comes with it waits for the end of this transaction.
/// Throws 28000 when nobody is signed in, 22023 for a key that stands for another call.
[[nodiscard]] std::optional<pg::jsonb> earlier_answer(const keyed_call& call);

/// Keeps what the first call has given: an array with it.
void keep_answer(std::string_view key, pg::jsonb answer);

}  // namespace vrm::sql::retry_keys
