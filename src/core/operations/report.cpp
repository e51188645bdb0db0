// Reads what vrm.report_data() says.
#include "core/operations/report.h"

#include <algorithm>

#include "core/operations/figures.h"
#include "core/platform/error.h"
#include "core/platform/json.h"

namespace vrm::report {
namespace {

std::string text_in(const json::value& object, std::string_view name) {
  const auto found = object.find(name);
  return found ? found->string().value_or("") : "";
}

std::optional<double> number_in(const json::value& object, std::string_view name) {
  const auto found = object.find(name);
  return found ? found->number() : std::nullopt;
}

std::uint64_t count_in(const json::value& object, std::string_view name) {
  const double number = number_in(object, name).value_or(0);
  // Within what a double counts one by one, and no more than numbers of calls can be.
  return number >= 0 && number < 1e15 ? static_cast<std::uint64_t>(number) : 0;
}

std::vector<json::value> list_in(const json::value& object, std::string_view name) {
  const auto found = object.find(name);
  return found ? found->elements() : std::vector<json::value>{};
}

/// A number in its unit, or a text; empty when it is null.
std::string shown(const json::value& value, std::string_view unit) {
  if (const auto number = value.number()) return figure(*number, unit);
  return value.string().value_or("");
}

/// {"name": "Calls", "value": 7, "unit": "number", "note": "{} before", "note_value": 3,
/// "note_unit": "number"}
tile read_tile(const json::value& said) {
  tile read{.name = text_in(said, "name"), .value = "–", .note = text_in(said, "note")};
  if (const auto value = number_in(said, "value")) {
    read.value = figure(*value, text_in(said, "unit"));
  }
  const std::size_t place = read.note.find("{}");
  const auto value = number_in(said, "note_value");
  if (place != std::string::npos && value) {
    read.note.replace(place, 2, figure(*value, text_in(said, "note_unit")));
  }
  return read;
}

/// {"name": "completed", "style": "one", "values": [1, null, 3]}
series read_series(const json::value& said, std::size_t days) {
  series read{.name = text_in(said, "name"), .style = text_in(said, "style"), .values = {}};
  for (const json::value& value : list_in(said, "values")) read.values.push_back(value.number());
  // One a day, whatever was said: charts are drawn without another look at the size.
  read.values.resize(days);
  return read;
}

/// {"id": ..., "kind": "bars", "title": ..., "description": ..., "unit": "number",
/// "days": ["2026-11-03"], "partial": "2026-11-03", "series": [...]}
chart read_chart(const json::value& said) {
  chart read;
  read.id = text_in(said, "id");
  read.is_bars = text_in(said, "kind") == "bars";
  read.title = text_in(said, "title");
  read.description = text_in(said, "description");
  read.unit = text_in(said, "unit");
  const std::string partial = text_in(said, "partial");
  for (const json::value& day : list_in(said, "days")) {
    const std::string text = day.string().value_or("");
    if (!partial.empty() && text == partial) read.partial = read.labels.size();
    read.labels.push_back(day_label(text));
  }
  for (const json::value& one : list_in(said, "series")) {
    read.shown.push_back(read_series(one, read.labels.size()));
  }
  return read;
}

/// {"title": ..., "columns": [{"name": "agent"}, {"name": "calls", "unit": "number"}],
/// "rows": [["a", 1]]}
table read_table(const json::value& said) {
  table read;
  read.title = text_in(said, "title");
  std::vector<std::string> units;
  for (const json::value& one : list_in(said, "columns")) {
    units.push_back(text_in(one, "unit"));
    read.columns.push_back({.name = text_in(one, "name"), .is_number = !units.back().empty()});
  }
  for (const json::value& line : list_in(said, "rows")) {
    std::vector<std::string> row;
    for (const json::value& value : line.elements()) {
      if (row.size() < units.size()) row.push_back(shown(value, units[row.size()]));
    }
    // As many as columns, for the same reason.
    row.resize(units.size());
    read.rows.push_back(std::move(row));
  }
  return read;
}

/// {"title": ..., "well": 1, "not_well": 1, "rows": [{"status": "warn", "check": ..., "detail":
/// ..., "remedy": ...}]}
findings read_findings(const json::value& said) {
  findings read;
  read.well = count_in(said, "well");
  read.not_well = count_in(said, "not_well");
  read.listed.title = text_in(said, "title");
  read.listed.columns = {{"status"}, {"check"}, {"what it is"}, {"what to do"}};
  for (const json::value& one : list_in(said, "rows")) {
    read.listed.rows.push_back({text_in(one, "status"), text_in(one, "check"),
                                text_in(one, "detail"), text_in(one, "remedy")});
  }
  return read;
}

}  // namespace

document read(std::string_view json) {
  const json::document parsed(json);
  const json::value said = parsed.root();
  if (!said.is(json::kind::object)) {
    throw error("22023", "data of a report must be an object")
        .hint("SELECT vrm.report_page(vrm.report_data());");
  }
  document report;
  report.database = text_in(said, "database");
  report.since = text_in(said, "since");
  report.until = text_in(said, "until");
  report.at = text_in(said, "at");
  report.made_by = text_in(said, "made_by");
  for (const json::value& one : list_in(said, "figures")) report.tiles.push_back(read_tile(one));
  for (const json::value& one : list_in(said, "charts")) report.charts.push_back(read_chart(one));
  for (const json::value& one : list_in(said, "tables")) report.tables.push_back(read_table(one));
  for (const json::value& one : list_in(said, "verdicts")) {
    report.verdicts.push_back(read_findings(one));
  }
  return report;
}

std::string label(const chart& drawn, std::size_t day) {
  return drawn.labels[day] + (drawn.partial == day ? ", so far" : "");
}

table figures_of(const chart& drawn) {
  table figures;
  figures.columns.push_back({.name = "day"});
  for (const series& one : drawn.shown) {
    figures.columns.push_back({.name = one.name, .is_number = true});
  }
  for (std::size_t day = 0; day < drawn.labels.size(); ++day) {
    std::vector<std::string> row = {label(drawn, day)};
    for (const series& one : drawn.shown) {
      const std::optional<double>& value = one.values[day];
      // An empty text, not a 0: nothing was measured on that day.
      row.push_back(value ? figure(*value, drawn.unit) : "");
    }
    const bool is_empty = std::ranges::all_of(
        drawn.shown, [&](const series& one) { return one.values[day].value_or(0) == 0; });
    if (!is_empty) figures.rows.push_back(std::move(row));
  }
  return figures;
}

}  // namespace vrm::report
