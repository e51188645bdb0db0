// What each function of the API asks first: who calls, and what was handed over.
#include "functions/calls/caller.h"

#include <optional>
#include <string>

#include "boundary/error/guard.h"
#include "boundary/value/text.h"
#include "core/platform/error.h"
#include "functions/identity/account_problem.h"
#include "functions/identity/acting.h"
#include "functions/identity/current_identity.h"

namespace vrm::sql {

vrm::uuid require_caller() {
  const vrm::identity* const who = current_identity();
  if (who == nullptr || !who->has_user) {
    throw error("28000", "nobody is signed in")
        .hint("Sign in within the transaction; SELECT vrm.uid(); tells whom the database sees.");
  }
  if (const auto problem = account_problem()) {
    throw error("42501", std::string(*problem))
        .hint("SELECT vrm.account_problem(); tells when it is gone.");
  }
  if (!may_write()) {
    throw error("42501", "a viewer changes nothing")
        .hint("Ask a manager of the organisation for another role.");
  }
  const std::optional<vrm::uuid> owner = current_owner();
  if (!owner) throw error("42501", "the membership in the organisation has ended");
  return *owner;
}

void check_text(const char* name, std::optional<std::string_view> value, std::size_t most,
                bool required) {
  const bool missing = required && (!value || value->empty());
  if (!missing && (!value || !pg::longer_than(*value, most))) return;
  std::string got = "null";
  if (value) {
    // Counted for the message alone.
    const int characters = pg::guarded(
        [&] { return pg_mbstrlen_with_len(value->data(), static_cast<int>(value->size())); });
    got = std::to_string(characters) + " characters";
  }
  throw error("22023", std::string(name) + " must be a text of " + (required ? "1" : "0") + " to " +
                           std::to_string(most) + " characters")
      .detail("Got " + got + ".")
      .hint("The limits are in doc/data-architecture.md.");
}

}  // namespace vrm::sql
