// The text form of row values, as far as primary keys need it: no column is null.
#include "core/secrets/record_text.h"

namespace vrm {

std::vector<std::string> split_record(std::string_view text, std::size_t columns) {
  if (columns == 1) return {std::string(text)};
  if (text.size() < 2 || text.front() != '(' || text.back() != ')') return {};
  text = text.substr(1, text.size() - 2);

  std::vector<std::string> values(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool has_next = i + 1 < text.size();
    // record_out() doubles quotes and backslashes; a backslash also takes what follows as it is.
    const bool escapes = c == '\\' || (c == '"' && quoted && has_next && text[i + 1] == '"');
    if (escapes && has_next) {
      values.back().push_back(text[++i]);
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      values.emplace_back();
    } else {
      values.back().push_back(c);
    }
  }
  if (quoted) return {};
  return values;
}

}  // namespace vrm
