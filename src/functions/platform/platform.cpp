// Makes, repairs and upgrades the platform: the ordinary tables, policies, triggers and functions
// that live beside the extension's members, so that dumps carry them and a DBA may change them.
#include "functions/platform/installer.h"

#include <climits>
#include <string>

#include "boundary/call/function.h"
#include "boundary/call/spi.h"
#include "boundary/error/notice.h"
#include "core/platform/error.h"
#include "functions/platform/settings.h"

extern "C" {
#include "utils/guc.h"
}

namespace vrm::sql {
namespace {

enum class install_mode : int { automatic, always, never };

const config_enum_entry install_modes[] = {
    {"auto", static_cast<int>(install_mode::automatic), false},
    {"always", static_cast<int>(install_mode::always), false},
    {"never", static_cast<int>(install_mode::never), false},
    {nullptr, 0, false}};

int install_platform_setting = static_cast<int>(install_mode::automatic);

constexpr int week_in_minutes = 7 * 24 * 60;
int max_clock_step_setting = week_in_minutes;

/// Version of the extension's members as CREATE or ALTER EXTENSION left them.
std::string library_version(const pg::spi_session& spi) {
  return spi
      .value<std::string>("SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'vrm'")
      .value_or(VRM_VERSION);
}

/// Reads only a table: a view that somebody planted under its name could run anything.
std::optional<std::string> recorded_version(const pg::spi_session& spi) {
  const auto table = spi.value<bool>(
      "SELECT relkind = 'r' FROM pg_catalog.pg_class"
      " WHERE oid = pg_catalog.to_regclass('vrm_private.platform_history')");
  if (!table.value_or(false)) return std::nullopt;
  // A snapshot of now: another installer may have come to its end while this one waited.
  if (spi.execute("SELECT version FROM vrm_private.platform_history"
                  " ORDER BY at DESC, id DESC LIMIT 1") == 0)
    return std::nullopt;
  return spi.column<std::string>(0, 1);
}

void record_version(const pg::spi_session& spi, const std::string& version) {
  if (recorded_version(spi) == version) return;
  spi.execute("INSERT INTO vrm_private.platform_history (version) VALUES ($1)", version);
}

/// Whether the session has read pg_dump's prologue, which turns row_security off or, when asked for
/// policies, sets all five of these.
bool restoring_dump() {
  const pg::spi_session spi;
  return spi
      .value<bool>(
          "SELECT pg_catalog.current_setting('row_security') = 'off'"
          " OR pg_catalog.count(*) FILTER (WHERE source = 'session') = pg_catalog.count(*)"
          " FROM pg_catalog.pg_settings WHERE name IN ('statement_timeout', 'lock_timeout',"
          " 'idle_in_transaction_session_timeout', 'xmloption', 'row_security')")
      .value_or(false);
}

void require_superuser() {
  if (superuser()) return;
  throw vrm::error("42501", "permission denied to change the platform of vrm")
      .detail("Its objects belong to the superuser who installed them.")
      .hint("Run it as a superuser: SET ROLE postgres;");
}

/// An ordinary user with CREATE on the database could have made the schemas beforehand: their owner
/// could replace what is about to be put there.
void require_trusted_schemas(const pg::spi_session& spi) {
  const auto schema = spi.value<std::string>(
      "SELECT n.nspname::text, r.rolname::text, quote_ident(current_user)"
      " FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner"
      " WHERE n.nspname IN ('vrm', 'vrm_private')"
      " AND NOT (r.rolsuper OR r.rolname = current_user) ORDER BY n.nspname LIMIT 1");
  if (!schema) return;
  const std::string owner = spi.column<std::string>(0, 2).value_or("");
  const std::string user = spi.column<std::string>(0, 3).value_or("");
  throw vrm::error("42501", "schema \"" + *schema + "\" belongs to an ordinary user")
      .detail("Its owner \"" + owner + "\" could replace what the platform keeps there.")
      .hint("Look at what is in it, then: ALTER SCHEMA " + *schema + " OWNER TO " + user + ";");
}

/// Takes an older platform forward, one step of sql/upgrade/ after the other.
void run_steps(const pg::spi_session& spi, platform_installer& installer, std::string from,
               const std::string& to) {
  while (from != to) {
    const auto next = spi.value<std::string>(
        "SELECT to_version FROM vrm.platform_steps() WHERE from_version = $1", from);
    if (!next) {
      // All or nothing: the error undoes the steps before it, too, as one transaction does.
      throw vrm::error("55000",
                       "there is no upgrade of the platform from version " + from + " to " + to)
          .detail("The members of the extension are at version " + to + ".")
          .hint("Install the files of a newer vrm, then: ALTER EXTENSION vrm UPDATE;");
    }
    const auto script = spi.value<std::string>(
        "SELECT script FROM vrm.platform_steps() WHERE from_version = $1", from);
    installer.run_step(script.value_or(""));
    from = *next;
    spi.execute("INSERT INTO vrm_private.platform_history (version) VALUES ($1)", from);
  }
}

/// Runs the whole script of the platform, whose functions may call each other in any order.
void complete(const pg::spi_session& spi, platform_installer& installer, const std::string& version,
              platform_installer::views existing_views) {
  installer.run(spi.value<std::string>("SELECT vrm.platform_script()").value_or(""),
                existing_views);
  installer.check_functions();
  record_version(spi, version);
}

}  // namespace

void define_platform_settings() {
  DefineCustomEnumVariable(
      "vrm.install_platform", "Whether CREATE EXTENSION vrm also makes the platform.",
      "auto: unless a dump is being restored, which brings the platform itself.",
      &install_platform_setting, install_platform_setting, install_modes, PGC_USERSET, 0, nullptr,
      nullptr, nullptr);
  DefineCustomIntVariable(
      "vrm.max_clock_step", "How far now() may be ahead of when the platform was last at work.",
      "Beyond it nothing is deleted for its age; -1 says that the clock is right.",
      &max_clock_step_setting, max_clock_step_setting, -1, INT_MAX, PGC_SUSET, GUC_UNIT_MIN,
      nullptr, nullptr, nullptr);
}

/// Makes what is missing of the platform; leaves what is there as it is.
std::string install() {
  require_superuser();
  const pg::spi_session spi;
  // From here on no other installer is at work: what is read now stays true.
  platform_installer installer;
  require_trusted_schemas(spi);
  const std::string version = library_version(spi);
  const auto recorded = recorded_version(spi);
  if (recorded && *recorded != version) {
    throw vrm::error("55000", "the platform is at version " + *recorded)
        .detail("The members of the extension are at version " + version + ".")
        .hint("SELECT vrm.upgrade();");
  }
  complete(spi, installer, version, platform_installer::views::keep);
  return version;
}

/// Brings the platform to the version of the members.
std::string upgrade() {
  require_superuser();
  const pg::spi_session spi;
  platform_installer installer;
  require_trusted_schemas(spi);
  const std::string version = library_version(spi);
  const auto recorded = recorded_version(spi);
  const bool moves = recorded && *recorded != version;
  if (moves) run_steps(spi, installer, *recorded, version);
  // Views of this version stay as a DBA may have left them; older ones may lack columns that
  // functions of this version read.
  complete(spi, installer, version,
           moves ? platform_installer::views::replace : platform_installer::views::keep);
  return version;
}

std::optional<std::string> platform_version() {
  const pg::spi_session spi;
  return recorded_version(spi);
}

/// What CREATE EXTENSION does last.
void install_platform() {
  const auto mode = static_cast<install_mode>(install_platform_setting);
  const bool restoring = mode == install_mode::automatic && restoring_dump();
  if (mode == install_mode::never || restoring) {
    pg::notice(restoring ? "a dump is being restored: it brings the platform of vrm"
                         : "the platform of vrm is not installed",
               "SELECT vrm.install();");
    return;
  }
  // An older platform may be there, after DROP EXTENSION ... CASCADE or a dump of its time.
  pg::notice(("platform of vrm " + upgrade() + " installed").c_str(), nullptr);
}

}  // namespace vrm::sql

PG_EXPORT(vrm_install, vrm::sql::install);
PG_EXPORT(vrm_upgrade, vrm::sql::upgrade);
PG_EXPORT(vrm_platform_version, vrm::sql::platform_version);
PG_EXPORT(vrm_install_platform, vrm::sql::install_platform);
