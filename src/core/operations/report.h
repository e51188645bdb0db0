#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Writes what vrm.report_data() says as a page or as Markdown.
///
/// The data says what there is, with numbers and their units; here is how that looks.  What is
/// missing in the data is missing on the page; texts may be anything, they are escaped.
namespace vrm::report {

/// A figure at the head of the page.
struct tile {
  std::string name;
  std::string value;
  std::string note;  ///< below the value, smaller
};

/// Values of a chart, one a day; nothing where there is none.
struct series {
  std::string name;
  std::string style;  ///< class of the style sheet
  std::vector<std::optional<double>> values;
};

/// Values of some days, drawn and as a table.
struct chart {
  std::string id;
  bool is_bars = false;  ///< stacked bars, else lines
  std::string title;
  std::string description;
  std::string unit;                    ///< as figure() takes it
  std::vector<std::string> labels;     ///< one a day; each of `shown` has as many values
  std::optional<std::size_t> partial;  ///< the day that is not over yet
  std::vector<series> shown;
};

struct column {
  std::string name;
  bool is_number = false;
};

struct table {
  std::string title;
  std::vector<column> columns;
  std::vector<std::vector<std::string>> rows;  ///< as many cells in each as there are columns
};

/// What checks have found; what is well is counted and not listed.
struct findings {
  std::uint64_t well = 0;
  std::uint64_t not_well = 0;
  table listed;
};

struct document {
  std::string database;
  std::string since;  ///< first and last day
  std::string until;
  std::string at;  ///< moment, in UTC
  std::string made_by;
  std::vector<tile> tiles;
  std::vector<chart> charts;
  std::vector<table> tables;
  std::vector<findings> verdicts;
};

/// Throws 22023 when the text, which is JSON, is not a report.
[[nodiscard]] document read(std::string_view json);

/// A page that needs nothing but itself: no script, nothing that is loaded.
[[nodiscard]] std::string html(const document& report, std::string_view style_sheet);
[[nodiscard]] std::string markdown(const document& report);

/// Label of a day of the chart, which says when the day is not over yet.
[[nodiscard]] std::string label(const chart& drawn, std::size_t day);
/// The figures of a chart as a table, without days on which there is nothing.
[[nodiscard]] table figures_of(const chart& drawn);

}  // namespace vrm::report
