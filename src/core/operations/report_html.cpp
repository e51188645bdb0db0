// A report as a page.
#include "core/operations/chart.h"
#include "core/operations/figures.h"
#include "core/operations/markup.h"
#include "core/operations/report.h"

namespace vrm::report {
namespace {

constexpr std::size_t most_columns_of_a_half = 4;  ///< tables with more take the page's whole width

/// The policy is a second line of defence: should a text become markup after all, the browser still
/// runs and loads nothing.
void write_head(html_writer& page, const document& report, std::string_view style_sheet) {
  page.add(
          "<!DOCTYPE html>"
          "\n"
          R"(<html lang="en">)"
          "\n"
          "<head>"
          "\n"
          R"(<meta charset="utf-8"/>)"
          "\n"
          R"(<meta name="viewport" content="width=device-width, initial-scale=1"/>)"
          "\n"
          R"(<meta http-equiv="Content-Security-Policy" content="default-src 'none'; )"
          R"(style-src 'unsafe-inline'"/>)"
          "\n"
          "<title>vrm: "_html,
          report.database, "</title>\n<style>\n"_html)
      .style_sheet(style_sheet)
      .add("</style>\n</head>\n<body>\n<main>\n<header><h1><bdi>"_html, report.database,
           "</bdi></h1><p>"_html, day_in_words(report.since, false), " to "_html,
           day_in_words(report.until, true), ", days in UTC</p></header>\n"_html);
}

void write_tiles(html_writer& page, const document& report) {
  page.add(R"(<div class="tiles">)"
           "\n"_html);
  for (const tile& one : report.tiles) {
    page.add(R"(<div class="tile"><div class="name">)"_html, one.name,
             R"(</div><div class="value">)"_html, one.value, R"(</div><div class="note">)"_html,
             one.note, "</div></div>\n"_html);
  }
  page.add("</div>\n"_html);
}

void write_cell(html_writer& page, const column& of, const std::string& text) {
  if (of.is_number) {
    page.add(R"(<td class="number">)"_html, text, "</td>"_html);
  } else if (of.name == "status") {
    page.add(R"(<td><span class="badge )"_html, text, R"(">)"_html, text, "</span></td>"_html);
  } else if (of.name == "check") {
    page.add(R"(<td class="word">)"_html, text, "</td>"_html);
  } else if (of.name == "what to do") {
    page.add("<td><code>"_html, text, "</code></td>"_html);
  } else {
    // <bdi>: names in scripts from right to left do not turn what stands next to them.
    page.add("<td><bdi>"_html, text, "</bdi></td>"_html);
  }
}

void write_table(html_writer& page, const table& listed, markup kind) {
  if (listed.rows.empty()) {
    page.add(R"(<p class="none">Nothing yet.</p>)"_html);
    return;
  }
  // What scrolls must be reached by the keyboard, too.
  page.add(R"(<div class="scroll" tabindex="0"><table)"_html, kind, ">\n<thead><tr>"_html);
  for (const column& one : listed.columns) {
    page.add(R"(<th scope="col")"_html, one.is_number ? R"( class="number">)"_html : ">"_html,
             one.name, "</th>"_html);
  }
  page.add("</tr></thead>\n<tbody>\n"_html);
  for (const auto& row : listed.rows) {
    page.add("<tr>"_html);
    for (std::size_t i = 0; i < row.size(); ++i) write_cell(page, listed.columns[i], row[i]);
    page.add("</tr>\n"_html);
  }
  page.add("</tbody></table></div>"_html);
}

void write_chart(html_writer& page, const chart& drawn) {
  page.add("<figure><figcaption><h2>"_html, drawn.title, "</h2><p>"_html, drawn.description,
           "</p>"_html);
  if (drawn.shown.size() > 1) {
    page.add(R"(<ul class="legend">)"_html);
    for (const series& one : drawn.shown) {
      page.add(R"(<li><i class=")"_html, one.style, R"("></i>)"_html, one.name, "</li>"_html);
    }
    page.add("</ul>"_html);
  }
  page.add("</figcaption>\n"_html);
  draw(page, drawn);
  page.add("<details><summary>Figures</summary>"_html);
  write_table(page, figures_of(drawn), ""_html);
  page.add("</details></figure>\n"_html);
}

void write_findings(html_writer& page, const findings& found) {
  page.add(R"(<section class="list"><div class="head"><h2>)"_html, found.listed.title,
           R"(</h2><span class="note">)"_html, found.well, " well, "_html, found.not_well,
           " not</span></div>"_html);
  if (!found.listed.rows.empty()) write_table(page, found.listed, R"( class="verdicts")"_html);
  page.add("</section>\n"_html);
}

}  // namespace

std::string html(const document& report, std::string_view style_sheet) {
  html_writer page;
  write_head(page, report, style_sheet);
  write_tiles(page, report);
  page.add(R"(<div class="charts">)"
           "\n"_html);
  for (const chart& one : report.charts) write_chart(page, one);
  for (const table& one : report.tables) {
    const bool is_wide = one.columns.size() > most_columns_of_a_half;
    page.add(R"(<section class="list)"_html, is_wide ? " wide"_html : ""_html, R"("><h2>)"_html,
             one.title, "</h2>"_html);
    write_table(page, one, ""_html);
    page.add("</section>\n"_html);
  }
  page.add("</div>\n"_html);
  for (const findings& one : report.verdicts) write_findings(page, one);
  page.add("<footer>"_html, report.made_by, ", "_html, report.at,
           " UTC</footer>\n</main>\n</body>\n</html>\n"_html);
  return std::move(page).finish();
}

}  // namespace vrm::report
