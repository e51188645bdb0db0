// What the doctor has to ask C++: which build this is, whether a master key can be had, and what of
// the platform is missing.
#include <openssl/crypto.h>
#include <openssl/opensslv.h>

#include <optional>
#include <string>

#include "boundary/call/function.h"
#include "boundary/call/spi.h"
#include "boundary/value/record.h"
#include "functions/platform/grants.h"
#include "functions/platform/installer.h"
#include "functions/secrets/keyring.h"

extern "C" {
#include "utils/guc.h"
}

namespace vrm::sql {

std::string version() { return VRM_VERSION; }

pg::record<std::string, std::string, std::string, std::string, std::string, std::string>
build_info() {
#ifdef __clang__
  const std::string compiler = __VERSION__;
#else
  const std::string compiler = "gcc " __VERSION__;
#endif
  const std::string running = GetConfigOption("server_version", false, false);
  return {VRM_VERSION,          compiler,
          PG_VERSION,           running,
          OPENSSL_VERSION_TEXT, OpenSSL_version(OPENSSL_VERSION)};
}

/// Reads the master keys and unwraps the keyring as the first use of a sealed value would: a file
/// with keys proves nothing unless they are those that wrapped it.
pg::record<std::optional<std::string>, std::optional<std::string>> master_key_problem() {
  try {
    keyring::require_master_keys();
    return {};
  } catch (const vrm::error& problem) {
    const std::string what = problem.what();
    return {problem.detail().empty() ? what : what + ": " + problem.detail(), problem.hint()};
  }
}

std::optional<std::string> missing_from_platform() {
  const pg::spi_session spi;
  const auto script = spi.value<std::string>("SELECT vrm.platform_script()");
  std::string lines;
  for (const std::string& statement : missing_objects(script.value_or(""))) {
    lines += (lines.empty() ? "" : "\n") + statement;
  }
  if (lines.empty()) return std::nullopt;
  return lines;
}

}  // namespace vrm::sql

PG_EXPORT(vrm_version, vrm::sql::version);
PG_EXPORT(vrm_build_info, vrm::sql::build_info);
PG_EXPORT_CHECKED(vrm_master_key_problem, vrm::sql::require_grant, vrm::sql::master_key_problem);
PG_EXPORT_CHECKED(vrm_missing_from_platform, vrm::sql::require_grant,
                  vrm::sql::missing_from_platform);
