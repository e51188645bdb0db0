// vrm.http_errors: SQLSTATEs by which PostgREST finds the HTTP status that an error deserves.
//
// PostgREST takes P0002 and 55000 for errors of the server (500), and 28000 for something that is
// forbidden (403); "PT" and a status tells it otherwise.  Errors are translated as they leave, so
// that calls that succeed cost nothing, and tables answer as functions do.
#include <array>

#include "boundary/call/guc.h"
#include "boundary/error/translated_errors.h"
#include "core/identity/reason.h"
#include "core/platform/sqlstate.h"
#include "functions/platform/settings.h"

namespace vrm::sql {
namespace {

bool http_errors = false;

int translated(int sqlerrcode) noexcept {
  if (!http_errors) return sqlerrcode;
  // Not unpack_sql_state(), whose one buffer others may be reading while they report.
  std::array<char, 5> text{};
  int rest = sqlerrcode;
  for (char& character : text) {
    character = static_cast<char>((rest & 0x3F) + '0');
    rest >>= 6;
  }
  const int status = vrm::http_status_for_postgrest({text.data(), text.size()});
  if (status == 0) return sqlerrcode;
  return MAKE_SQLSTATE('P', 'T', '0' + (status / 100), '0' + (status / 10 % 10),
                       '0' + (status % 10));
}

}  // namespace

void define_http_settings() {
  pg::define_setting("vrm.http_errors",
                     "Gives errors SQLSTATEs from which PostgREST takes the HTTP status.",
                     http_errors, false, {.context = PGC_USERSET});
  pg::translate_errors(translated);
}

}  // namespace vrm::sql
