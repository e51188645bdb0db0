#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/calls/imports.h"
#include "core/calls/imports_fields.h"
#include "core/platform/error.h"

/// Reads call reports and shows what became of them.
namespace vrm::imports::test {

inline constexpr moment arrival = 1'790'000'000'000;  // 2026-09-21T14:13:20Z

inline report read_text_of(source from, std::string_view payload) {
  const json::document document(payload);
  return read(from, document.root(), arrival);
}

/// The call as one object: its columns, then what is kept as its results; or why there is none.
inline std::string call_of(source from, std::string_view payload) {
  const report found = read_text_of(from, payload);
  if (found.what == disposition::ignored) return "ignored: " + found.reason;
  std::string call = "{";
  const auto add = [&](std::string_view name, std::string_view json) {
    if (!json.empty()) call.append("\"").append(name).append("\":").append(json).append(",");
  };
  const auto add_text = [&](std::string_view name, std::string_view text) {
    std::string json;
    json::append_quoted(json, text);
    if (!text.empty()) add(name, json);
  };
  add_text("externalId", found.external_id);
  if (found.started_at) add("startedAt", std::to_string(*found.started_at));
  if (found.ended_at) add("endedAt", std::to_string(*found.ended_at));
  add_text("status", found.status);
  add_text("endedReason", found.ended_reason);
  add_text("outcome", found.outcome);
  add_text("direction", found.direction);
  add("cost", found.cost);
  add_text("currency", found.currency);
  add_text("error", found.error);
  return call + results_of(found, false).substr(1);
}

/// One value of the call as JSON; empty when it is not there.
inline std::string value_of(source from, std::string_view payload, std::string_view path) {
  std::string members = call_of(from, payload);
  if (members.starts_with("ignored")) return members;
  const json::document call(members);
  json::value here = call.root();
  std::string text;
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (here.is(json::kind::array)) {
      const auto elements = here.elements();
      const std::size_t index = std::stoul(std::string(name));
      if (index >= elements.size()) return text;
      here = elements[index];
    } else if (const auto next = here.find(name)) {
      here = *next;
    } else {
      return text;
    }
  }
  json::append(text, here);
  return text;
}

/// The DETAIL of the error that a report is refused with; empty when it is read.
inline std::string refusal_of(source from, std::string_view payload) {
  try {
    (void)read_text_of(from, payload);
    return {};
  } catch (const vrm::error& e) {
    EXPECT_EQ(e.state().text(), "22023");
    EXPECT_FALSE(e.hint().empty());
    return e.detail();
  }
}

/// The payload with its first `what` replaced: the variants of a good one.
inline std::string with(std::string_view payload, std::string_view what, std::string_view instead) {
  std::string changed(payload);
  const std::size_t found = changed.find(what);
  if (found == std::string::npos)
    ADD_FAILURE() << "there is no " << what;
  else
    changed.replace(found, what.size(), instead);
  return changed;
}

}  // namespace vrm::imports::test
