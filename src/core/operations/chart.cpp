// Charts: where on a sheet of 480 x 214 a value is.
#include "core/operations/chart.h"

#include <algorithm>
#include <cmath>

#include "core/operations/figures.h"

namespace vrm::report {
namespace {

constexpr double left = 52;  ///< of the plot; labels of the lines stand before it
constexpr double width = 420;
constexpr double bottom = 186;  ///< y grows downwards
constexpr double height = 170;
constexpr double days_labelled = 5;
constexpr int lines = 4;

/// How values and days become places.
class plot {
 public:
  explicit plot(const chart& drawn)
      : slot_(width / static_cast<double>(std::max<std::size_t>(drawn.labels.size(), 1))) {
    double highest = 0;
    for (std::size_t day = 0; day < drawn.labels.size(); ++day) {
      double sum = 0;
      for (const series& one : drawn.shown) {
        const double value = std::max(one.values[day].value_or(0), 0.0);
        sum = drawn.is_bars ? sum + value : std::max(sum, value);
      }
      highest = std::max(highest, sum);
    }
    // A sum beyond a double has no place on paper.
    if (highest > 0 && std::isfinite(highest)) {
      distance_ = line_distance(highest, drawn.unit);
      scale_ = height / (distance_ * lines);
    }
  }

  [[nodiscard]] bool is_empty() const noexcept { return distance_ == 0; }
  [[nodiscard]] double value_of_line(int line) const noexcept { return distance_ * line; }
  [[nodiscard]] double slot() const noexcept { return slot_; }
  [[nodiscard]] double size(double value) const noexcept { return value * scale_; }
  [[nodiscard]] double y(double value) const noexcept { return bottom - size(value); }
  [[nodiscard]] double begin(std::size_t day) const noexcept {
    return left + (static_cast<double>(day) * slot_);
  }
  [[nodiscard]] double middle(std::size_t day) const noexcept { return begin(day) + (slot_ / 2); }

 private:
  double slot_;
  double distance_ = 0;  ///< between lines, 0 when there is nothing to show
  double scale_ = 0;
};

void draw_lines_of_values(html_writer& page, const chart& drawn, const plot& places) {
  if (places.is_empty()) return;
  for (int line = 0; line <= lines; ++line) {
    const double value = places.value_of_line(line);
    if (drawn.unit == "number" && value != std::trunc(value)) continue;  // half a call is none
    const double y = bottom - (line * height / lines);
    page.add(R"(<line class=")"_html, line == 0 ? "axis"_html : "grid"_html, R"(" x1=")"_html,
             coordinate{left}, R"(" x2=")"_html, coordinate{left + width}, R"(" y1=")"_html,
             coordinate{y}, R"(" y2=")"_html, coordinate{y}, R"("/>)"_html,
             R"(<text class="tick" x="46" y=")"_html, coordinate{y + 4},
             R"(" text-anchor="end">)"_html, figure(value, drawn.unit), "</text>\n"_html);
  }
}

void draw_days(html_writer& page, const chart& drawn, const plot& places) {
  const std::size_t count = drawn.labels.size();
  const auto every = static_cast<std::size_t>(
      std::max(1.0, std::ceil(static_cast<double>(count) / days_labelled)));
  for (std::size_t day = 0; day < count; ++day) {
    if ((count - 1 - day) % every != every / 2) continue;
    page.add(R"(<text class="tick" x=")"_html, coordinate{places.middle(day)},
             R"(" y="206" text-anchor="middle">)"_html, drawn.labels[day], "</text>\n"_html);
  }
}

/// What a mouse that rests there is told.
void draw_title(html_writer& page, const chart& drawn, const series& one, std::size_t day,
                double value) {
  page.add("<title>"_html, label(drawn, day), ": "_html, figure(value, drawn.unit), " "_html,
           one.name, "</title>"_html);
}

void draw_bars(html_writer& page, const chart& drawn, const plot& places) {
  constexpr double gap = 1.2;       // between bars that stand on each other
  constexpr double thinnest = 0.8;  // that can be seen
  for (std::size_t day = 0; day < drawn.labels.size(); ++day) {
    double below = 0;
    for (const series& one : drawn.shown) {
      const double value = one.values[day].value_or(0);
      if (value <= 0) continue;
      const double tall = std::max(places.size(value) - (below > 0 ? gap : 0), thinnest);
      page.add(R"(<rect class=")"_html, one.style, drawn.partial == day ? " partial"_html : ""_html,
               R"(" x=")"_html, coordinate{places.begin(day) + (places.slot() * 0.14)},
               R"(" y=")"_html, coordinate{places.y(below + value)}, R"(" width=")"_html,
               coordinate{places.slot() * 0.72}, R"(" height=")"_html, coordinate{tall},
               R"(">)"_html);
      draw_title(page, drawn, one, day, value);
      page.add("</rect>\n"_html);
      below += value;
    }
  }
}

void draw_path(html_writer& page, const chart& drawn, const plot& places, const series& one) {
  const auto point = [&](std::size_t day) {
    page.add(coordinate{places.middle(day)}, ","_html,
             coordinate{places.y(one.values[day].value_or(0))});
  };
  bool is_open = false;
  bool is_gap = true;
  for (std::size_t day = 0; day < one.values.size(); ++day) {
    if (!one.values[day] || drawn.partial == day) {
      is_gap = true;
      continue;
    }
    if (is_open) {
      page.add(" "_html);
    } else {
      page.add(R"(<path class="line )"_html, one.style, R"(" d=")"_html);
    }
    page.add(is_gap ? "M"_html : "L"_html);
    point(day);
    is_open = true;
    is_gap = false;
  }
  if (is_open)
    page.add(R"("/>)"
             "\n"_html);

  const std::size_t today = drawn.partial.value_or(0);
  if (today == 0 || !one.values[today] || !one.values[today - 1]) return;
  // Drawn apart, so that the style sheet can show that the day is not over.
  page.add(R"(<path class="line )"_html, one.style, R"( partial" d="M)"_html);
  point(today - 1);
  page.add(" L"_html);
  point(today);
  page.add(R"("/>)"
           "\n"_html);
}

void draw_dots(html_writer& page, const chart& drawn, const plot& places, const series& one) {
  for (std::size_t day = 0; day < one.values.size(); ++day) {
    const std::optional<double>& known = one.values[day];
    if (!known) continue;
    const double value = *known;
    page.add(R"(<circle class="dot )"_html, one.style,
             drawn.partial == day ? " partial"_html : ""_html, R"(" cx=")"_html,
             coordinate{places.middle(day)}, R"(" cy=")"_html, coordinate{places.y(value)},
             R"(" r="2.6">)"_html);
    draw_title(page, drawn, one, day, value);
    page.add("</circle>\n"_html);
  }
}

void draw_series(html_writer& page, const chart& drawn, const plot& places) {
  if (places.is_empty()) {
    page.add(R"(<text class="none" x="262" y="105" text-anchor="middle">nothing yet)"_html,
             "</text>"_html);
  } else if (drawn.is_bars) {
    draw_bars(page, drawn, places);
  } else {
    for (std::size_t i = drawn.shown.size(); i-- > 0;) {
      draw_path(page, drawn, places, drawn.shown[i]);
    }
    for (std::size_t i = drawn.shown.size(); i-- > 0;) {
      draw_dots(page, drawn, places, drawn.shown[i]);
    }
  }
}

}  // namespace

void draw(html_writer& page, const chart& drawn) {
  const plot places(drawn);
  // What the picture says is said in words, too, to those who do not see it.
  page.add(R"(<svg viewBox="0 0 480 214" role="img" aria-labelledby="chart-)"_html, drawn.id,
           "-title chart-"_html, drawn.id,
           R"(-desc">)"
           "\n"
           R"(<title id="chart-)"_html,
           drawn.id, R"(-title">)"_html, drawn.title,
           "</title>"
           "\n"
           R"(<desc id="chart-)"_html,
           drawn.id, R"(-desc">)"_html, drawn.description, "</desc>\n"_html);
  draw_lines_of_values(page, drawn, places);
  draw_days(page, drawn, places);
  draw_series(page, drawn, places);
  page.add("</svg>\n"_html);
}

}  // namespace vrm::report
