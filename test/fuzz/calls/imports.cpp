// Call reports from strangers: 22023 with a DETAIL and a HINT, or a call whose text is JSON again.
#include "core/calls/imports.h"

#include <cstdlib>

#include "core/platform/error.h"

namespace {

constexpr vrm::imports::moment arrival = 1'790'000'000'000;

void check(const vrm::imports::report& read) {
  const std::string results = vrm::imports::results_of(read, true);
  const vrm::json::document written(results);
  if (!written.root().find("transcript")) std::abort();
  for (const vrm::imports::turn& said : read.turns) {
    if (said.begin && said.end && *said.end < *said.begin) std::abort();
  }
  if (read.what != vrm::imports::disposition::call) return;
  if (!read.started_at || !read.ended_at || *read.ended_at < *read.started_at ||
      read.status.empty())
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  vrm::json::mend(text);
  std::optional<vrm::json::document> document;
  try {
    document.emplace(text);
  } catch (const vrm::error&) {
    return 0;  // test/fuzz/platform/json.cpp is about that
  }
  for (const char* name : {"vrm", "vapi", "retell", "elevenlabs", "livekit", "connect", "twilio"}) {
    try {
      const auto read =
          vrm::imports::read(*vrm::imports::source_of(name), document->root(), arrival);
      if (read.what != vrm::imports::disposition::ignored) check(read);
    } catch (const vrm::error& e) {
      if (e.state() != vrm::sqlstate("22023") || e.detail().empty() || e.hint().empty())
        std::abort();
    }
  }
  return 0;
}
