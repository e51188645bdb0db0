// Data of reports from strangers: 22023, 22P02, or a page on which no markup is theirs.
#include "core/operations/report.h"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/platform/error.h"

namespace {

/// Where an element begins there is markup of ours.
void check(const std::string& page) {
  constexpr std::string_view begins = "!/abcdefhilmprstu";
  for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    if (begins.find(page[at + 1]) == std::string_view::npos) std::abort();
    if (page.compare(at, 7, "<script") == 0) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const vrm::report::document read = vrm::report::read(text);
    check(vrm::report::html(read, "p {}"));
    if (vrm::report::markdown(read).find("<script") != std::string::npos) std::abort();
  } catch (const vrm::error&) {
    return 0;
  }
  return 0;
}
