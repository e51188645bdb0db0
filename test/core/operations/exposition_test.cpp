// Labels as Prometheus reads them.
#include "core/operations/exposition.h"

#include <gtest/gtest.h>

namespace vrm {
namespace {

TEST(add_label, puts_a_comma_between_labels) {
  std::string labels;
  add_label(labels, "le", "0.5");
  add_label(labels, "path", "");
  EXPECT_EQ(labels, R"(le="0.5",path="")");
}

TEST(add_label, escapes_what_would_end_a_value_or_a_line) {
  std::string labels;
  add_label(labels, "path", "C:\\a \"b\"\nc");
  EXPECT_EQ(labels, R"(path="C:\\a \"b\"\nc")");
}

}  // namespace
}  // namespace vrm
