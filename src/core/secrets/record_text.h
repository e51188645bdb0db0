#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vrm {

/// Splits the text of a row value, "(first,\"sec\"\"ond\")", into its columns.  One column stands
/// for itself, as it is.  Returns nothing when parentheses or quotes do not match.
[[nodiscard]] std::vector<std::string> split_record(std::string_view text, std::size_t columns);

}  // namespace vrm
