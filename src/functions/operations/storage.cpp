// Room on the file systems that PostgreSQL writes to, and how fast it goes.
#include <sys/statvfs.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "boundary/call/function.h"
#include "boundary/value/array.h"
#include "boundary/value/record.h"
#include "core/operations/forecast.h"
#include "core/platform/error.h"
#include "functions/platform/grants.h"

namespace vrm::sql {

using room = pg::record<std::optional<std::int64_t>, std::optional<std::int64_t>>;

/// What an ordinary user may use of the file system behind `path`, all of it and what is left; null
/// where it cannot be asked.
room file_system(std::string_view path) {
  struct statvfs found{};
  const std::string name(path);
  int failed = 0;
  do {
    failed = statvfs(name.c_str(), &found);
  } while (failed != 0 && errno == EINTR);
  if (failed != 0) return {};
  const auto bytes = [&](fsblkcnt_t blocks) {
    return static_cast<std::int64_t>(blocks * found.f_frsize);
  };
  // As df counts: blocks that are kept for root are no room for PostgreSQL.
  return {bytes(found.f_blocks - found.f_bfree + found.f_bavail), bytes(found.f_bavail)};
}

std::optional<double> growth(pg::float8_array days, pg::float8_array amounts) {
  const auto at = days.elements();
  const auto amount = amounts.elements();
  if (at.size() != amount.size()) {
    throw vrm::error("22023", "there must be as many amounts as days")
        .detail(std::to_string(at.size()) + " days, " + std::to_string(amount.size()) + " amounts.")
        .hint(
            "SELECT vrm.growth_a_day(array_agg(day ORDER BY day), array_agg(amount ORDER BY day)) "
            "FROM generate_series(1, 9) AS day, LATERAL (SELECT 2 * day) AS of (amount);");
  }
  std::vector<sample> samples;
  samples.reserve(at.size());
  for (std::size_t i = 0; i < at.size(); ++i) samples.push_back({at[i], amount[i]});
  return growth_a_day(samples);
}

}  // namespace vrm::sql

PG_EXPORT_CHECKED(vrm_file_system, vrm::sql::require_grant, vrm::sql::file_system);
PG_EXPORT(vrm_growth_a_day, vrm::sql::growth);
