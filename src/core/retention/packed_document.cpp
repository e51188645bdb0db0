#include "core/retention/packed_document.h"

#include <algorithm>
#include <new>
#include <string>

#include "core/platform/big_endian.h"
#include "core/platform/error.h"

namespace vrm {
namespace {

constexpr std::byte version{1};
constexpr std::size_t head_size = 5;
/// Levels above it buy a tenth for many times the CPU.
constexpr int level = 3;
/// Of a frame's descriptor, its fifth byte: whether a checksum of the content follows (RFC 8878).
constexpr std::byte checksum_flag{0x04};

[[noreturn]] void refuse(std::string why) {
  throw error("XX001", "a packed document is damaged")
      .detail(std::move(why))
      .hint("SELECT * FROM vrm.verify_archive() WHERE NOT ok;");
}

/// What zstd has said, unless it is an error of memory or of ours.
std::size_t checked(std::size_t result) {
  if (ZSTD_isError(result) != 0) {
    throw error("58000", std::string("zstd has failed: ") + ZSTD_getErrorName(result))
        .hint("SELECT vrm.version();");
  }
  return result;
}

template <typename T>
T* made(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

}  // namespace

pack_dictionary::pack_dictionary(std::int32_t number, byte_view content)
    : number_(number),
      packing_(made(ZSTD_createCDict(content.data(), content.size(), level))),
      unpacking_(made(ZSTD_createDDict(content.data(), content.size()))) {}

packed_head read_packed_head(byte_view packed) {
  if (packed.size() < head_size || packed[0] != version) refuse("It is not of version 1.");
  const byte_view frame = packed.subspan(head_size);
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
    refuse("It has no zstd frame that says its size.");
  }
  if (size > most_packed_text) refuse("It says to be larger than any that was packed.");
  // The size could be read, so that the descriptor is there.
  if ((frame[4] & checksum_flag) == std::byte{0}) refuse("Its zstd frame has no checksum.");
  return {.dictionary = static_cast<std::int32_t>(from_big_endian<4>(packed.subspan(1))),
          .text_size = static_cast<std::size_t>(size)};
}

document_packer::document_packer()
    : packing_(made(ZSTD_createCCtx())), unpacking_(made(ZSTD_createDCtx())) {
  checked(ZSTD_CCtx_setParameter(packing_.get(), ZSTD_c_checksumFlag, 1));
}

std::vector<std::byte> document_packer::pack(std::string_view text,
                                             const pack_dictionary& dictionary) {
  std::vector<std::byte> packed(head_size + ZSTD_compressBound(text.size()));
  packed[0] = version;
  const auto number = to_big_endian(static_cast<std::uint32_t>(dictionary.number()));
  std::ranges::copy(std::span(number).last<4>(), packed.begin() + 1);
  checked(ZSTD_CCtx_refCDict(packing_.get(), dictionary.packing_.get()));
  const std::size_t size =
      checked(ZSTD_compress2(packing_.get(), packed.data() + head_size, packed.size() - head_size,
                             text.data(), text.size()));
  packed.resize(head_size + size);
  return packed;
}

void document_packer::unpack(byte_view packed, const pack_dictionary& dictionary,
                             std::span<std::byte> text) {
  const packed_head head = read_packed_head(packed);
  const byte_view frame = packed.subspan(head_size);
  if (head.dictionary != dictionary.number() || head.text_size != text.size()) {
    refuse("It was packed with another dictionary, or has another size.");
  }
  // zstd would go on with a second frame.
  if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size()) {
    refuse("Its zstd frame is cut off, or something follows it.");
  }
  checked(ZSTD_DCtx_refDDict(unpacking_.get(), dictionary.unpacking_.get()));
  const std::size_t size =
      ZSTD_decompressDCtx(unpacking_.get(), text.data(), text.size(), frame.data(), frame.size());
  if (ZSTD_isError(size) != 0) refuse(std::string("zstd says: ") + ZSTD_getErrorName(size) + ".");
  if (size != text.size()) refuse("It is shorter than it says.");
}

}  // namespace vrm
