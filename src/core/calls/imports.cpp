// Reads a call report of any source: finds its adapter, and draws the conclusions that are the
// same for all of them.
#include "core/calls/imports.h"

#include <algorithm>
#include <array>

#include "core/calls/imports_fields.h"
#include "core/calls/imports_values.h"
#include "core/platform/error.h"

namespace vrm::imports {
namespace {

struct named_adapter {
  std::string_view name;
  const adapter* reads;
};

// In the order of enum source.
constexpr std::array<named_adapter, 7> adapters = {{{"vrm", &generic_adapter},
                                                    {"vapi", &vapi_adapter},
                                                    {"retell", &retell_adapter},
                                                    {"elevenlabs", &elevenlabs_adapter},
                                                    {"livekit", &livekit_adapter},
                                                    {"connect", &connect_adapter},
                                                    {"twilio", &twilio_adapter}}};

// Covers clocks that are off and times whose zone got lost.
constexpr moment clock_skew = moment{24} * 60 * 60 * 1000;

[[noreturn]] void refuse(std::string detail, std::string hint) {
  throw vrm::error("22023", "call report cannot be read")
      .detail(std::move(detail))
      .hint(std::move(hint));
}

/// Everybody's form fits many documents: whose else a document can be is asked first.
const named_adapter* owner_of(const json::value& payload) {
  for (std::size_t i = 1; i < adapters.size(); ++i) {
    if (adapters[i].reads->is_mine(payload)) return &adapters[i];
  }
  return adapters.front().reads->is_mine(payload) ? &adapters.front() : nullptr;
}

void require_own(source which, const json::value& payload, bool has_id) {
  const named_adapter& wanted = adapters[static_cast<std::size_t>(which)];
  if (!payload.is(json::kind::object)) mismatch(payload, "an object");
  const named_adapter* const owner = owner_of(payload);
  const bool everybodys = which == source::vrm;
  // A document may look like more than one source's: the one that was named counts, but everybody's
  // form only where it is nobody else's.
  if (everybodys ? owner == &wanted : wanted.reads->is_mine(payload)) return;
  if (has_id && owner == nullptr && wanted.reads->is_mine_but_for_its_id != nullptr &&
      wanted.reads->is_mine_but_for_its_id(payload))
    return;
  if (owner != nullptr) {
    refuse("/: looks like a report of " + std::string(owner->name) + ", not of " +
               std::string(wanted.name) + ".",
           "SELECT vrm.import_call('" + std::string(owner->name) + "', ...);");
  }
  refuse("/: is no report of " + std::string(wanted.name) + ", which are recognised by " +
             std::string(wanted.reads->recognised_by) + ".",
         "What each source sends is in doc/calls/imports.md.");
}

/// The pointer of a member of the call, which webhooks have below another one.
std::string pointer_of(const json::value& payload, std::string_view member) {
  // As webhooks nest: the pointer is for people, who look for it in what was sent.
  for (const std::string_view holder : {"message", "data", "call", "contact"}) {
    const auto found = at(payload, holder);
    if (found && found->is(json::kind::object)) return found->pointer().append("/").append(member);
  }
  return "/" + std::string(member);
}

/// A call that nobody took may have no time of its own.  One in which something was said has one
/// on its platform: whatever the report is, it was not this moment.
void require_time(report& read, const json::value& payload, std::string_view starts_at) {
  if (read.started_at || read.ended_at || read.noticed_at) return;
  if (!starts_at.empty() && (read.duration.value_or(0) > 0 || !read.turns.empty())) {
    refuse(pointer_of(payload, starts_at) + ": is required, as nothing else says when the call was",
           "Correct the payload; UPDATE vrm.call_imports has it read again.");
  }
  read.notes.emplace_back("nothing says when the call was: it is put where its report came");
}

/// When the call was, from what the report knows of it.
void settle_times(report& read, moment arrived) {
  if (!read.started_at && read.ended_at && read.duration)
    read.started_at = std::max<moment>(0, *read.ended_at - *read.duration);
  if (!read.started_at) read.started_at = read.ended_at;
  if (!read.started_at) read.started_at = read.noticed_at.value_or(arrived);
  read.is_guess = !read.ended_at && !read.duration;
  if (!read.ended_at) read.ended_at = *read.started_at + read.duration.value_or(0);
  const std::string hint = "Correct the payload; UPDATE vrm.call_imports has it read again.";
  if (*read.ended_at < *read.started_at)
    refuse("/: the call ends before it begins, by " +
               std::to_string(*read.started_at - *read.ended_at) + " ms.",
           hint);
  if (*read.started_at > arrived + clock_skew)
    refuse("/: the call begins more than a day from now.", hint);
}

/// Turns of one moment keep their order.
void sort_turns(std::vector<turn>& turns) {
  std::vector<std::pair<length, std::size_t>> order;
  for (const turn& said : turns) {
    if (!said.begin) return;  // only the source knows, then
    // The place decides between turns of one moment.
    order.emplace_back(*said.begin, order.size());
  }
  if (std::ranges::is_sorted(order)) return;
  std::ranges::sort(order);
  std::vector<turn> sorted;
  sorted.reserve(turns.size());
  for (const auto& [begin, place] : order) sorted.push_back(std::move(turns[place]));
  turns = std::move(sorted);
}

void settle_turns(report& read) {
  sort_turns(read.turns);
  for (turn& said : read.turns) {
    if (!said.speaker.empty()) continue;
    constexpr std::array<std::string_view, 5> names = {"Unknown", "Agent", "Customer", "Tool",
                                                       "System"};
    said.speaker = names[static_cast<std::size_t>(said.role)];
  }
}

void settle_words(report& read) {
  if (!read.direction.empty()) {
    const std::string word = folded(read.direction);
    if (word == "inbound" || word == "incoming")
      read.direction = "inbound";
    else if (word == "outbound" || word == "outgoing")
      read.direction = "outbound";
    else {
      read.unknown.push_back({.field = "direction", .word = read.direction});
      read.direction.clear();
    }
  }
  read.outcome = folded(read.outcome);
  std::ranges::replace(read.outcome, '-', '_');
  // What went wrong in words, where the source has but a word for it.
  if (read.status == "failed" && read.error.empty()) read.error = read.ended_reason;
  if (read.cost.empty()) {
    read.currency.clear();
  } else if (read.currency.empty()) {
    read.currency = "USD";
  }
}

}  // namespace

std::optional<source> source_of(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(adapters, name, &named_adapter::name);
  if (found == adapters.end()) return std::nullopt;
  return static_cast<source>(found - adapters.begin());
}

std::string_view name_of(source which) noexcept {
  return adapters[static_cast<std::size_t>(which)].name;
}

std::optional<source> recognise(const json::value& payload) {
  const named_adapter* const owner = owner_of(payload);
  if (owner == nullptr) return std::nullopt;
  return static_cast<source>(owner - adapters.data());
}

report read(source which, const json::value& payload, moment arrived,
            const std::string& external_id) {
  require_own(which, payload, !external_id.empty());
  report found;
  adapters[static_cast<std::size_t>(which)].reads->read(found, payload);
  if (found.what == disposition::ignored) return found;
  if (found.external_id.empty()) found.external_id = external_id;
  if (found.external_id.empty()) {
    refuse("/: the call has no id.", "Ids stand in the members that doc/calls/imports.md names.");
  }
  if (found.what == disposition::call) {
    require_time(found, payload, adapters[static_cast<std::size_t>(which)].reads->starts_at);
    settle_times(found, arrived);
  }
  settle_turns(found);
  settle_words(found);
  return found;
}

}  // namespace vrm::imports
