// What vrm.monitoring_text() says of each of hundreds of series.
#include "boundary/call/function.h"
#include "boundary/value/jsonb.h"
#include "core/operations/exposition.h"
#include "core/platform/error.h"

namespace vrm::sql {
namespace {

/// As jsonb_each_text() has it, and nothing for null.
std::string text_of(const pg::jsonb_value& value) {
  switch (value.kind()) {
    case pg::jsonb_kind::string:
      return std::string(value.text());
    case pg::jsonb_kind::number:
      return std::string(value.number_text());
    case pg::jsonb_kind::boolean:
      return value.is_true() ? "true" : "false";
    case pg::jsonb_kind::null:
      break;
    case pg::jsonb_kind::array:
    case pg::jsonb_kind::object: {
      const JsonbValue whole = value.for_backend();
      return pg::guarded(
          [&] { return JsonbToCString(nullptr, whole.val.binary.data, whole.val.binary.len); });
    }
  }
  return {};
}

}  // namespace

std::string prometheus_labels(std::optional<pg::jsonb> labels) {
  if (!labels) return {};
  const pg::jsonb_value root = labels->root();
  if (root.kind() != pg::jsonb_kind::object) {
    throw error("22023", "labels must be a JSON object")
        .detail("They are members of one.")
        .hint(R"(SELECT vrm_private.prometheus_labels('{"le": "0.5"}');)");
  }
  std::string written;
  for (const auto [name, value] : root.members()) add_label(written, name, text_of(value));
  return written.empty() ? written : '{' + written + '}';
}

}  // namespace vrm::sql

PG_EXPORT(vrm_prometheus_labels, vrm::sql::prometheus_labels);
