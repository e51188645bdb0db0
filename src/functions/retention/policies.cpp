// CALL vrm.run_retention() and what vrm.maintain() calls: one policy after the other, of which one
// that fails keeps no other.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "boundary/call/procedure.h"
#include "boundary/call/spi.h"
#include "core/platform/error.h"
#include "functions/platform/grants.h"
#include "functions/retention/retention.h"

namespace vrm::sql {
namespace {

using std::chrono::microseconds;

/// Longer is as good as no limit, and would not fit the clock.
constexpr microseconds longest = std::chrono::days(1000);

/// Does what others must not wait for: what fails is told in the end, but for errors of the server
/// or the session, which nothing else would be spared.
class first_failure {
 public:
  template <typename Body>
  void keep(const Body& body) {
    try {
      body();
    } catch (const pg::error& e) {
      if (is_fatal(e.sqlerrcode())) throw;
      note();
    } catch (const vrm::error&) {
      note();
    }
  }

  void rethrow() const {
    if (kept_ != nullptr) std::rethrow_exception(kept_);
  }

 private:
  void note() {
    if (kept_ == nullptr) kept_ = std::current_exception();
  }

  std::exception_ptr kept_;
};

/// The names that a query gives.
template <typename... Arguments>
std::vector<std::string> names_of(pg::procedure_call& call, const char* query,
                                  const Arguments&... arguments) {
  std::vector<std::string> names;
  call.step([&] {
    const pg::spi_session spi;
    const auto found = spi.execute(query, arguments...);
    for (std::uint64_t row = 0; row < found; ++row) {
      names.push_back(spi.column<std::string>(row, 1).value());
    }
  });
  call.commit();
  return names;
}

/// Partitions to put rows into.
void prepare(pg::procedure_call& call, const char* statement) {
  call.step([&] {
    const pg::spi_session spi;
    spi.execute(statement);
  });
  call.commit();
}

void run_policies(pg::procedure_call& call, const std::vector<std::string>& names,
                  retention_limits allowed) {
  first_failure failures;
  for (const char* const statement : {"SELECT vrm_private.make_archive_partitions()",
                                      "SELECT vrm_private.make_log_partitions()"}) {
    failures.keep([&] { prepare(call, statement); });
  }
  for (const std::string& name : names) {
    failures.keep([&] { run_policy(call, name, allowed); });
  }
  failures.rethrow();
}

}  // namespace

void run_retention(pg::procedure_call& call, std::optional<std::string_view> policy,
                   std::optional<std::int64_t> max_rows, std::optional<microseconds> max_runtime) {
  call.require_transaction_control("CALL vrm.run_retention();");
  // The argument's memory is the first transaction's.
  const std::optional<std::string> wanted(policy);
  retention_limits allowed{.rows = max_rows, .end = {}};
  if (max_runtime) {
    allowed.end = retention_limits::clock::now() + std::min(*max_runtime, longest);
  }
  call.commit();
  const auto names = wanted
                         ? names_of(call, "SELECT $1 FROM vrm_private.check_policy($1)", *wanted)
                         : names_of(call, "SELECT name FROM vrm.retention_policies ORDER BY name");
  run_policies(call, names, allowed);
}

void run_due_retention(pg::procedure_call& call) {
  call.require_transaction_control("CALL vrm.maintain();");
  call.commit();
  run_policies(call, names_of(call, "SELECT unnest(vrm_private.policies_to_run())"), {});
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_run_retention, vrm::sql::require_grant, vrm::sql::run_retention);
PG_EXPORT_CHECKED(vrm_run_due_retention, vrm::sql::require_grant, vrm::sql::run_due_retention);
