// Room on the file systems that PostgreSQL writes to, how fast it goes, and what takes it.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "boundary/call/row_set.h"
#include "boundary/value/array.h"
#include "boundary/value/record.h"
#include "core/operations/forecast.h"
#include "core/platform/error.h"
#include "functions/platform/grants.h"

namespace vrm::sql {
namespace {

/// The number that the name of a relation's file begins with, whichever segment or fork it is;
/// 0 for other files.
std::int64_t filenode_of(std::string_view name) noexcept {
  std::uint32_t number = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
  const auto rest = static_cast<std::size_t>(end - name.data());
  const bool is_whole = rest == name.size() || name[rest] == '.' || name[rest] == '_';
  return failed == std::errc{} && is_whole ? number : 0;
}

}  // namespace

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

/// Bytes of the files of a directory of a database, those of a relation added up: one look at each,
/// where pg_total_relation_size() opens each relation and looks for each of its forks.
void file_sizes(pg::row_set& rows, std::string_view path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(std::string(path).c_str()), closedir);
  const int place = directory ? dirfd(directory.get()) : -1;
  if (place < 0) return;
  std::unordered_map<std::int64_t, std::int64_t> sizes;
  // Only this backend reads from what it has opened itself.
  while (const dirent* const entry = readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe)
    const char* const name = std::data(entry->d_name);
    struct stat found{};
    if (fstatat(place, name, &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISREG(found.st_mode)) sizes[filenode_of(name)] += found.st_size;
  }
  for (const auto& [filenode, bytes] : sizes) {
    rows.add(std::array{Int64GetDatum(filenode), Int64GetDatum(bytes)}, std::array{false, false});
  }
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
PG_EXPORT_CHECKED(vrm_file_sizes, vrm::sql::require_grant, vrm::sql::file_sizes);
PG_EXPORT(vrm_growth_a_day, vrm::sql::growth);
