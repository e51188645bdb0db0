#pragma once

#include <string>
#include <string_view>

namespace vrm {

/// Adds a label as the text format that Prometheus reads has it, name="value", to those before it.
void add_label(std::string& labels, std::string_view name, std::string_view value);

}  // namespace vrm
