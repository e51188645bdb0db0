// What a page shows of its data, and that nothing in the data gets out of its place.
#include "core/operations/report.h"

#include <string>

#include <gtest/gtest.h>

#include "core/platform/error.h"

namespace vrm::report {
namespace {

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

bool has(const std::string& text, std::string_view part) { return count(text, part) > 0; }

std::string page_of(std::string_view json) { return html(read(json), "p {}"); }

/// A page with one chart of two days, the second not over.
std::string chart_of(std::string_view kind, std::string_view unit, std::string_view series) {
  return page_of(std::string(R"({"charts": [{"id": "a", "kind": ")").append(kind) +
                 R"(", "title": "T", "description": "D", "unit": ")" + std::string(unit) +
                 R"(", "days": ["2026-11-02", "2026-11-03"], "partial": "2026-11-03", "series": )" +
                 std::string(series) + "}]}");
}

TEST(report, nothing_is_a_page_without_anything) {
  const std::string page = page_of("{}");
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
  EXPECT_FALSE(has(page, "<svg"));
}

TEST(report, texts_are_escaped_wherever_they_stand) {
  // An attack in every string of the data, also where the page expects a word of its own.
  const std::string attack = R"("\"'><script>alert(1)</script>&amp;")";
  std::string json =
      R"({"database": @, "since": @, "until": @, "at": @, "made_by": @,
          "figures": [{"name": @, "value": 1, "unit": @, "note": @}],
          "charts": [{"id": @, "kind": "lines", "title": @, "description": @, "unit": @,
                      "days": [@], "partial": @,
                      "series": [{"name": @, "style": @, "values": [1]},
                                 {"name": @, "style": @, "values": [2]}]},
                     {"id": @, "kind": "bars", "title": @, "unit": @, "days": [@],
                      "series": [{"name": @, "style": @, "values": [1]}]}],
          "tables": [{"title": @, "columns": [{"name": @, "unit": @}, {"name": @}],
                      "rows": [[@, @]]}],
          "verdicts": [{"title": @, "well": @, "not_well": 1,
                        "rows": [{"status": @, "check": @, "detail": @, "remedy": @}]}]})";
  for (std::size_t at = json.find('@'); at != std::string::npos; at = json.find('@')) {
    json.replace(at, 1, attack);
  }
  const document hostile = read(json);
  const std::string page = html(hostile, "p {}");
  EXPECT_EQ(count(page, "<script"), 0);
  EXPECT_EQ(count(page, "\"'>"), 0) << "no attribute ends early";
  EXPECT_GT(count(page, "&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"), 30);
  EXPECT_EQ(count(markdown(hostile), "<script"), 0);
}

TEST(report, control_characters_do_not_make_it_ill_formed) {
  EXPECT_TRUE(has(page_of(R"({"database": "a\u0001b\u000bc"})"), "<bdi>a&#xFFFD;b c</bdi>"));
}

TEST(report, a_style_sheet_cannot_end_its_element) {
  EXPECT_TRUE(has(html(read("{}"), "a > b {}"), "<style>\na > b {}</style>"));
  EXPECT_THROW((void)html(read("{}"), "p {} </STYLE><script>"), error);
}

TEST(report, what_is_no_report_is_refused) {
  EXPECT_THROW((void)read("[]"), error);
  EXPECT_THROW((void)read("{"), error);
}

TEST(report, members_of_other_types_count_as_missing) {
  const std::string page = page_of(
      R"({"database": 1, "figures": {"a": 1}, "charts": [1, {"days": "x", "series": [2]}],
          "tables": [{"columns": [1], "rows": [[1, 2], 3, []]}], "verdicts": [null]})");
  EXPECT_TRUE(has(page, "nothing yet"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
}

TEST(report, tiles_show_figures_in_their_units) {
  const std::string page = page_of(
      R"({"figures": [{"name": "Length", "value": 86, "unit": "seconds",
                       "note": "half within {}", "note_value": 1536, "note_unit": "bytes"},
                      {"name": "Rate", "value": null, "note": "{} of {}"}]})");
  EXPECT_TRUE(
      has(page, R"(<div class="value">1:26</div><div class="note">half within 1.5 kB</div>)"));
  EXPECT_TRUE(has(page, R"(<div class="value">–</div><div class="note">{} of {}</div>)"));
}

TEST(chart, bars_stand_on_each_other) {
  const std::string page = chart_of("bars", "number", R"([
      {"name": "good", "style": "one", "values": [3, 1]},
      {"name": "bad", "style": "bad", "values": [1, null]}])");
  // 170 high for 4: the first reaches from 186 to 58.5, the second from there to 16
  EXPECT_TRUE(has(page, R"(<rect class="one" x="81.4" y="58.5" width="151.2" height="127.5">)"));
  EXPECT_TRUE(has(page, R"(<rect class="bad" x="81.4" y="16.0" width="151.2" height="41.3">)"));
  EXPECT_TRUE(has(page, "<title>Nov 02: 1 bad</title>"));
  EXPECT_EQ(count(page, "<rect "), 3) << "nothing is drawn for nothing";
}

TEST(chart, a_day_that_is_not_over_is_drawn_as_such) {
  const std::string bars =
      chart_of("bars", "number", R"([{"name": "calls", "style": "one", "values": [3, 1]}])");
  EXPECT_TRUE(has(bars, R"(<rect class="one partial" x="291.4")"));
  EXPECT_TRUE(has(bars, "<title>Nov 03, so far: 1 calls</title>"));
  const std::string lines =
      chart_of("lines", "number", R"([{"name": "calls", "style": "one", "values": [4, 2]}])");
  EXPECT_TRUE(has(lines, R"(<path class="line one" d="M157.0,16.0"/>)"));
  EXPECT_TRUE(has(lines, R"(<path class="line one partial" d="M157.0,16.0 L367.0,101.0"/>)"));
  EXPECT_TRUE(has(lines, R"(<circle class="dot one partial" cx="367.0" cy="101.0")"));
}

TEST(chart, lines_have_gaps_and_the_first_lies_on_top) {
  const std::string page = page_of(R"({"charts": [{"kind": "lines", "unit": "number",
      "days": ["a", "b", "c", "d"],
      "series": [{"name": "1", "style": "one", "values": [4, null, 2, 4]},
                 {"name": "2", "style": "deep", "values": [4, 4]}]}]})");
  const std::string line = R"(<path class="line one" d="M104.5,16.0 M314.5,101.0 L419.5,16.0"/>)";
  ASSERT_TRUE(has(page, line));
  EXPECT_LT(page.find("line deep"), page.find(line));
}

TEST(chart, values_beyond_all_bounds_do_not_break_it) {
  const std::string page = chart_of("bars", "number", R"([
      {"name": "a", "style": "one", "values": [1.7e308, -5]},
      {"name": "b", "style": "bad", "values": [1.7e308, 1e-300]}])");
  EXPECT_FALSE(has(page, "nan"));
  EXPECT_FALSE(has(page, "inf"));
  const std::string lines =
      chart_of("lines", "percent", R"([{"name": "a", "style": "one", "values": [-1e300, 1e300]}])");
  EXPECT_FALSE(has(lines, "nan"));
}

TEST(table, numbers_and_their_headings_are_on_the_right) {
  const std::string page = page_of(R"({"tables": [{"title": "T",
      "columns": [{"name": "agent", "unit": null}, {"name": "calls", "unit": "number"}],
      "rows": [["12", 1234567], ["b", null]]}]})");
  EXPECT_TRUE(has(page, R"(<th scope="col">agent</th><th scope="col" class="number">calls</th>)"));
  EXPECT_TRUE(has(page, R"(<tr><td><bdi>12</bdi></td><td class="number">1,234,567</td></tr>)"));
  EXPECT_TRUE(has(page, R"(<tr><td><bdi>b</bdi></td><td class="number"></td></tr>)"));
}

TEST(table, figures_of_a_chart_leave_out_days_without_any) {
  const document read_back = read(R"({"charts": [{"unit": "percent", "days": ["2026-11-02", "b"],
      "series": [{"name": "rate", "values": [0, 99.96]}]}]})");
  const table figures = figures_of(read_back.charts.at(0));
  ASSERT_EQ(figures.rows.size(), 1);
  EXPECT_EQ(figures.rows.at(0), (std::vector<std::string>{"b", "99.9 %"}));
}

TEST(report, markdown_keeps_columns_and_lines) {
  const std::string text = markdown(read(
      R"({"database": "a_b", "tables": [{"title": "T", "columns": [{"name": "x"}, {"name": "y",
          "unit": "number"}], "rows": [["a|b\n<c> [d](e) `f`", 1]]}],
          "verdicts": [{"title": "Health", "well": 30, "not_well": 0, "rows": []}]})"));
  EXPECT_TRUE(text.starts_with("# a\\_b\n"));
  EXPECT_TRUE(has(text, "| x | y |\n|---|---:|\n| a\\|b &lt;c\\> \\[d\\]\\(e\\) \\`f\\` | 1 |\n"));
  EXPECT_TRUE(text.ends_with("## Health\n\n30 well, 0 not.\n"));
}

}  // namespace
}  // namespace vrm::report
