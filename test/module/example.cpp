// All that an extension needs that is written on the boundary alone (doc/platform/boundary.md).
#include <optional>
#include <string>
#include <string_view>

#include "boundary/call/function.h"
#include "boundary/value/array.h"
#include "core/platform/error.h"

extern "C" {
#pragma GCC visibility push(default)
PG_MODULE_MAGIC;
#pragma GCC visibility pop
}

namespace example {

/// Arguments are views, results are values, an exception is an ERROR.
double average(pg::float8_array numbers) {
  double sum = 0;
  for (const double number : numbers.elements()) sum += number;
  if (numbers.elements().empty())
    throw vrm::error("22023", "there is no average of nothing").hint("Give at least one number.");
  return sum / static_cast<double>(numbers.elements().size());
}

/// SQL's null is an empty optional.
std::string greet(std::optional<std::string_view> name) {
  return "Hello, " + std::string(name.value_or("stranger")) + "!";
}

}  // namespace example

PG_EXPORT(example_average, example::average);
PG_EXPORT(example_greet, example::greet);
