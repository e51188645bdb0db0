// Packed documents from strangers: XX001 with a DETAIL, or a text of the size that they say; what
// is packed comes back.
#include "core/retention/packed_document.h"

#include <cstdlib>
#include <string>

#include "core/platform/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static vrm::document_packer packer;
  static const vrm::pack_dictionary dictionary(vrm::built_in_dictionary,
                                               vrm::bytes_of(vrm::built_in_dictionary_content()));
  const vrm::byte_view bytes = std::as_bytes(std::span(data, size));
  try {
    const vrm::packed_head head = vrm::read_packed_head(bytes);
    if (head.text_size > vrm::most_packed_text) std::abort();
    std::string text(head.text_size, '\0');
    packer.unpack(bytes, dictionary, std::as_writable_bytes(std::span(text)));
  } catch (const vrm::error& e) {
    if (e.state() != vrm::sqlstate("XX001") || e.detail().empty()) std::abort();
  }
  const auto packed = packer.pack(vrm::text_of(bytes), dictionary);
  std::string text(vrm::read_packed_head(packed).text_size, '\0');
  packer.unpack(packed, dictionary, std::as_writable_bytes(std::span(text)));
  if (text != vrm::text_of(bytes)) std::abort();
  return 0;
}
