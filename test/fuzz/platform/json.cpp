// JSON from strangers: 22P02 with a DETAIL, or a document all of whose values can be asked for.
#include "core/platform/json.h"

#include <cstdlib>

#include "core/platform/error.h"

namespace {

void visit(const vrm::json::value& value) {
  (void)value.number();
  if (const auto text = value.string(); text && !value.equals(*text)) std::abort();
  (void)value.find("name");
  for (const vrm::json::value& element : value.elements()) visit(element);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)vrm::json::is_utf8(text);
  try {
    const vrm::json::document document(text);
    visit(document.root());
  } catch (const vrm::error& e) {
    if (e.state() != vrm::sqlstate("22P02") || e.detail().empty()) std::abort();
  }
  return 0;
}
