#pragma once

#include "core/operations/markup.h"
#include "core/operations/report.h"

namespace vrm::report {

/// Draws a chart as an inline SVG that takes its colours from the page's style sheet.  Bars are
/// stacked; lines have gaps where values are missing, and of lines that coincide the first is on
/// top.  A day that is not over is drawn as such.
void draw(html_writer& page, const chart& drawn);

}  // namespace vrm::report
