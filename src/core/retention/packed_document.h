#pragma once

#include <zstd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/platform/bytes.h"

namespace vrm {

/// Documents of the archive: text, packed by zstd with the help of a dictionary.
///
///   0  1  version, 1
///   1  4  number of the dictionary, big endian
///   5     one zstd frame (RFC 8878) that says its content's size and checksum
///
/// Packed bytes may come from anybody: whatever is not as written is an error, XX001, and nothing
/// larger than most_packed_text is ever made of them.

/// Beyond it a document stays as it is.
inline constexpr std::size_t most_packed_text = std::size_t{64} << 20;
/// Of what a dictionary may hold; matches in a larger one would cost more than they save.
inline constexpr std::size_t most_dictionary_bytes = std::size_t{64} << 10;

/// For std::unique_ptr, without a pointer to a function in each.
template <auto Free>
struct zstd_deleter {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

/// A dictionary, digested for both directions once.
class pack_dictionary {
 public:
  /// `content` is taken in: it may go afterwards.
  pack_dictionary(std::int32_t number, byte_view content);

  [[nodiscard]] std::int32_t number() const noexcept { return number_; }

 private:
  friend class document_packer;

  std::int32_t number_;
  std::unique_ptr<ZSTD_CDict, zstd_deleter<ZSTD_freeCDict>> packing_;
  std::unique_ptr<ZSTD_DDict, zstd_deleter<ZSTD_freeDDict>> unpacking_;
};

/// The one that comes with the product: keys and common formulas of documents of calls.
inline constexpr std::int32_t built_in_dictionary = 0;
[[nodiscard]] std::string_view built_in_dictionary_content() noexcept;

/// What packed bytes say of themselves.
struct packed_head {
  std::int32_t dictionary = built_in_dictionary;
  std::size_t text_size = 0;  ///< at most most_packed_text
};

/// Throws vrm::error XX001 for bytes that are no packed document of this version.
[[nodiscard]] packed_head read_packed_head(byte_view packed);

/// Packs and unpacks one document after the other: setting up zstd costs more than a document.
class document_packer {
 public:
  document_packer();

  /// `text` is at most most_packed_text long.
  [[nodiscard]] std::vector<std::byte> pack(std::string_view text,
                                            const pack_dictionary& dictionary);

  /// Into exactly as many bytes as the head says, with the dictionary that it names.
  /// Throws vrm::error XX001 when what comes out is not what went in.
  void unpack(byte_view packed, const pack_dictionary& dictionary, std::span<std::byte> text);

 private:
  std::unique_ptr<ZSTD_CCtx, zstd_deleter<ZSTD_freeCCtx>> packing_;
  std::unique_ptr<ZSTD_DCtx, zstd_deleter<ZSTD_freeDCtx>> unpacking_;
};

}  // namespace vrm
