// Documents come back as they were, or not at all.
#include "core/retention/packed_document.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "core/platform/error.h"

namespace {

using vrm::pack_dictionary;

pack_dictionary built_in() {
  return {vrm::built_in_dictionary, vrm::bytes_of(vrm::built_in_dictionary_content())};
}

std::string call_of(int turns) {
  std::string text = R"({"customer": "+15550100", "transcript": [)";
  for (int i = 0; i < turns; ++i) {
    text += R"({"ms": )" + std::to_string(i * 700) + R"(, "role": "agent", "message": "Turn )" +
            std::to_string(i) + R"(", "speaker": "Agent", "interrupted": false}, )";
  }
  return text + "{}]}";
}

std::string unpacked(vrm::byte_view packed, const pack_dictionary& dictionary) {
  std::string text(vrm::read_packed_head(packed).text_size, '\0');
  vrm::document_packer().unpack(packed, dictionary, std::as_writable_bytes(std::span(text)));
  return text;
}

/// What is wrong with packed bytes; empty when nothing is.
std::string damage(vrm::byte_view packed, const pack_dictionary& dictionary) {
  try {
    (void)unpacked(packed, dictionary);
  } catch (const vrm::error& e) {
    EXPECT_EQ(e.state(), vrm::sqlstate("XX001"));
    return e.detail();
  }
  return {};
}

TEST(PackedDocument, ComesBackAsItWas) {
  const pack_dictionary dictionary = built_in();
  vrm::document_packer packer;
  for (const std::string& text : {std::string(), std::string("{}"), call_of(3), call_of(5000)}) {
    const auto packed = packer.pack(text, dictionary);
    EXPECT_EQ(vrm::read_packed_head(packed).dictionary, vrm::built_in_dictionary);
    EXPECT_EQ(unpacked(packed, dictionary), text);
  }
}

TEST(PackedDocument, IsSmallerWithTheDictionary) {
  const pack_dictionary none(7, {});
  vrm::document_packer packer;
  const auto alone = packer.pack(call_of(3), none);
  EXPECT_LT(packer.pack(call_of(3), built_in()).size() * 4, alone.size() * 3);
  EXPECT_EQ(vrm::read_packed_head(alone).dictionary, 7);
}

TEST(PackedDocument, IsNotReadWithAnotherDictionary) {
  vrm::document_packer packer;
  const pack_dictionary written(3, vrm::bytes_of(R"("customer": "+15550100", "transcript")"));
  const auto packed = packer.pack(call_of(2), written);
  EXPECT_NE(damage(packed, built_in()), "");
  // Under the same number, too: the checksum is of what was packed.
  const pack_dictionary changed(3, vrm::bytes_of(R"("customer": "+15550199", "transcript")"));
  EXPECT_NE(damage(packed, changed), "");
}

TEST(PackedDocument, IsNotReadWhenAnythingIsChanged) {
  const pack_dictionary dictionary = built_in();
  const auto packed = vrm::document_packer().pack(call_of(3), dictionary);
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_NE(damage(vrm::byte_view(packed).first(size), dictionary), "") << size;
  }
  for (std::size_t i = 0; i < packed.size(); ++i) {
    auto changed = packed;
    // Not the bit of the frame's descriptor that has no meaning.
    changed[i] ^= std::byte{0x40};
    EXPECT_NE(damage(changed, dictionary), "") << i;
  }
  auto followed = packed;
  followed.insert(followed.end(), packed.begin() + 5, packed.end());
  EXPECT_EQ(damage(followed, dictionary), "Its zstd frame is cut off, or something follows it.");
}

// A frame that says 2^40 bytes: one segment, its size in eight bytes.
TEST(PackedDocument, IsNotMadeRoomForBeyondTheLimit) {
  constexpr std::array<unsigned char, 21> bomb = {1, 0, 0, 0, 0, 0x28, 0xB5, 0x2F, 0xFD, 0xE4, 0,
                                                  0, 0, 0, 0, 1, 0,    0,    1,    0,    0};
  EXPECT_EQ(damage(std::as_bytes(std::span(bomb)), built_in()),
            "It says to be larger than any that was packed.");
}

// An empty frame of one raw block.
TEST(PackedDocument, HasAChecksum) {
  constexpr std::array<unsigned char, 14> frame = {1,    0,    0,    0, 0, 0x28, 0xB5,
                                                   0x2F, 0xFD, 0x20, 0, 1, 0,    0};
  EXPECT_EQ(damage(std::as_bytes(std::span(frame)), built_in()), "Its zstd frame has no checksum.");
}

TEST(BuiltInDictionary, IsShortAndNamesNobody) {
  const std::string_view content = vrm::built_in_dictionary_content();
  EXPECT_LE(content.size(), vrm::most_dictionary_bytes);
  EXPECT_EQ(content.find('@'), std::string_view::npos);
}

}  // namespace
