// A report as Markdown, for a message or an issue.
#include "core/operations/markup.h"
#include "core/operations/report.h"

namespace vrm::report {
namespace {

std::string table_text(const table& listed) {
  if (listed.rows.empty()) return "Nothing yet.\n";
  std::string text = "|";
  for (const column& one : listed.columns) text += " " + markdown(one.name) + " |";
  text += "\n|";
  for (const column& one : listed.columns) text += one.is_number ? "---:|" : "---|";
  text += "\n";
  for (const auto& row : listed.rows) {
    text += "|";
    for (const std::string& cell : row) text += " " + markdown(cell) + " |";
    text += "\n";
  }
  return text;
}

std::string section(const std::string& title, const std::string& body) {
  return "\n## " + markdown(title) + "\n\n" + body;
}

}  // namespace

std::string markdown(const document& report) {
  std::string text = "# " + markdown(report.database) + "\n\n" + markdown(report.since) + " to " +
                     markdown(report.until) + ", days in UTC.\n\n";
  table tiles;
  tiles.columns = {{""}, {"value", true}, {""}};
  for (const tile& one : report.tiles) tiles.rows.push_back({one.name, one.value, one.note});
  text += table_text(tiles);
  for (const chart& one : report.charts) {
    text += section(one.title, markdown(one.description) + ".\n\n" + table_text(figures_of(one)));
  }
  for (const table& one : report.tables) text += section(one.title, table_text(one));
  for (const findings& one : report.verdicts) {
    text += section(one.listed.title, std::to_string(one.well) + " well, " +
                                          std::to_string(one.not_well) + " not.\n");
    if (!one.listed.rows.empty()) text += "\n" + table_text(one.listed);
  }
  return text;
}

}  // namespace vrm::report
