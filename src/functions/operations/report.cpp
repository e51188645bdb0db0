// Writes what vrm.report_data() says as a page.
#include "core/operations/report.h"

#include "boundary/call/function.h"
#include "boundary/value/jsonb.h"
#include "core/platform/error.h"

namespace vrm::sql {

std::string report_page(pg::jsonb data, std::string_view format, std::string_view style_sheet) {
  const char* const json = pg::guarded(
      [&] { return JsonbToCString(nullptr, const_cast<JsonbContainer*>(data.container), 0); });
  if (format != "html" && format != "md") {
    throw error("22023", "there is no report of format \"" + std::string(format) + "\"")
        .hint("SELECT vrm.report('html'), or 'md' for Markdown.");
  }
  const report::document read = report::read(json);
  return format == "md" ? report::markdown(read) : report::html(read, style_sheet);
}

}  // namespace vrm::sql

PG_EXPORT(vrm_report_page, vrm::sql::report_page);
