// Puts together what is said of a call at its end and later: the document in test_runs.results.
#include "functions/calls/results.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "boundary/call/statement.h"
#include "boundary/value/jsonb_builder.h"
#include "core/calls/clock.h"
#include "core/calls/shapes.h"
#include "core/platform/error.h"
#include "functions/calls/shapes.h"
#include "functions/calls/transcript.h"
#include "functions/calls/vocabulary.h"

namespace vrm::sql {
namespace {

constexpr std::size_t largest = 16'777'216;  ///< bytes, as constraint results_size says

pg::statement<2> turns_of(
    "SELECT t.speaker, t.message, t.at, t.end_ms, t.role, t.interrupted, t.latency"
    " FROM vrm.transcript_turns t WHERE t.user_id = $1 AND t.run_id = $2 ORDER BY t.at, t.id",
    {UUIDOID, UUIDOID});
pg::statement<2> actions_of(
    "SELECT a.action, a.status, a.at, a.ok, a.took, a.arguments, a.result"
    " FROM vrm.run_actions a WHERE a.user_id = $1 AND a.run_id = $2 ORDER BY a.at, a.id",
    {UUIDOID, UUIDOID});
pg::statement<1> outcome_known("SELECT FROM vrm.call_outcomes o WHERE o.name = $1", {TEXTOID});

// --- what one turn or action is made of ---------------------------------------------------------

/// A turn or an action, from a row or from a document; views look into either.
struct item {
  std::optional<std::int64_t> ms;
  std::string_view what;  ///< the role of a turn, the name of an action
  clock_text time{0, 2};  ///< where the document has none
  std::optional<pg::jsonb_object> of_document;
  // of a row:
  std::string_view speaker;  ///< or what an action came to
  std::optional<std::string_view> message;
  std::optional<std::int32_t> number;     ///< when a turn ended, how long an action took
  std::optional<bool> flag;               ///< a turn was interrupted, an action went well
  std::optional<pg::jsonb_value> first;   ///< latency, arguments
  std::optional<pg::jsonb_value> second;  ///< result
};

using items = std::vector<item>;

std::int64_t whole_milliseconds(std::chrono::microseconds at) { return (at.count() + 500) / 1000; }

template <typename T>
std::optional<T> column(SPITupleTable* rows, std::uint64_t row, int number) {
  bool null = false;
  const Datum value = SPI_getbinval(rows->vals[row], rows->tupdesc, number, &null);
  if (null) return std::nullopt;
  return pg::datum_traits<T>::from(value);
}

std::optional<pg::jsonb_value> document_in(SPITupleTable* rows, std::uint64_t row, int number) {
  const auto document = column<pg::jsonb>(rows, row, number);
  if (!document) return std::nullopt;
  return document->root();
}

items listed_turns(const vrm::uuid& owner, const vrm::uuid& run, role_book& roles) {
  const std::uint64_t count = turns_of.run({owner, run});
  // Kept, since looking up roles runs statements that replace SPI_tuptable.
  SPITupleTable* const rows = SPI_tuptable;
  items turns(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::optional<std::string_view> role;
    pg::guarded([&] {
      item& turn = turns[i];
      turn.speaker = column<std::string_view>(rows, i, 1).value_or("");
      turn.message = column<std::string_view>(rows, i, 2);
      turn.ms = whole_milliseconds(*column<std::chrono::microseconds>(rows, i, 3));
      turn.number = column<std::int32_t>(rows, i, 4);
      role = column<std::string_view>(rows, i, 5);
      turn.flag = column<bool>(rows, i, 6);
      turn.first = document_in(rows, i, 7);
    });
    turns[i].what = role ? *role : name_of(roles.of_speaker(turns[i].speaker));
    turns[i].time = clock_text(*turns[i].ms, 2);
  }
  return turns;
}

items listed_actions(const vrm::uuid& owner, const vrm::uuid& run) {
  const std::uint64_t count = actions_of.run({owner, run});
  SPITupleTable* const rows = SPI_tuptable;
  items actions(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    pg::guarded([&] {
      item& action = actions[i];
      action.what = column<std::string_view>(rows, i, 1).value_or("");
      action.speaker = column<std::string_view>(rows, i, 2).value_or("");
      action.ms = whole_milliseconds(*column<std::chrono::microseconds>(rows, i, 3));
      action.flag = column<bool>(rows, i, 4);
      action.number = column<std::int32_t>(rows, i, 5);
      action.first = document_in(rows, i, 6);
      action.second = document_in(rows, i, 7);
    });
    actions[i].time = clock_text(*actions[i].ms, 2);
  }
  return actions;
}

std::optional<pg::jsonb_value> member_of(const pg::jsonb_object& object, std::string_view name) {
  for (const auto& [found, value] : object) {
    if (found == name) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> text_in(const pg::jsonb_object& object, std::string_view name) {
  const auto found = member_of(object, name);
  if (!found || found->kind() != pg::jsonb_kind::string) return std::nullopt;
  return found->text();
}

bool all_have_ms(const items& list) {
  return std::ranges::all_of(list, [](const item& one) { return one.ms.has_value(); });
}

/// In the order of the document, unless all of them say to the millisecond when they were.
void put_in_order(items& list) {
  if (all_have_ms(list)) std::ranges::stable_sort(list, {}, &item::ms);
}

[[noreturn]] void throw_not_valid(const std::string& why) {
  throw error("22023", "results are not valid")
      .detail(why)
      .hint("SELECT vrm.results_error(...) tells whether a document is valid.");
}

/// Where a document is from: what is stored already may be of an older shape and is not judged.
enum class origin : std::uint8_t { stored, given };

void check_end(const item& turn, std::size_t index) {
  const auto end = member_of(*turn.of_document, "endMs");
  const auto end_ms = end ? milliseconds_of(*end) : std::nullopt;
  if (!end_ms || !turn.ms || *end_ms >= *turn.ms) return;
  throw_not_valid("/transcript/" + std::to_string(index) + "/endMs: is before ms");
}

/// What the elements of a document's list are; time is that of the one before where none is given.
template <typename Name>
items read_list(const pg::jsonb_value& document, std::string_view list, origin from,
                Name&& what_of) {
  items read;
  const auto elements = array_in(document, list);
  if (!elements) return read;
  for (const pg::jsonb_value element : *elements) {
    pg::check_for_interrupts();
    if (element.kind() != pg::jsonb_kind::object) continue;
    item one;
    one.of_document = element.members();
    if (const auto ms = member_of(*one.of_document, "ms")) one.ms = milliseconds_of(*ms);
    if (one.ms) {
      one.time = clock_text(*one.ms, 2);
    } else if (!read.empty()) {
      one.time = read.back().time;
    }
    one.what = what_of(*one.of_document);
    if (from == origin::given) check_end(one, read.size());
    read.push_back(one);
  }
  put_in_order(read);
  return read;
}

items listed_turns(const pg::jsonb_value& document, origin from, role_book& roles) {
  return read_list(document, "transcript", from, [&](const pg::jsonb_object& turn) {
    if (const auto role = text_in(turn, "role")) {
      return name_of(from == origin::given ? roles.of_role(*role) : roles.of_speaker(*role));
    }
    return name_of(roles.of_speaker(text_in(turn, "speaker").value_or("")));
  });
}

items listed_actions(const pg::jsonb_value& document) {
  return read_list(document, "actionsTaken", origin::stored, [](const pg::jsonb_object& action) {
    return text_in(action, "action").value_or("");
  });
}

// --- writing; all of it inside a guard ----------------------------------------------------------

std::string_view speaker_for(std::string_view role) noexcept {
  if (role == "agent") return "Agent";
  if (role == "customer") return "Customer";
  return role == "tool" ? "Tool" : "System";
}

void write_given(pg::jsonb_builder& into, const item& one, std::string_view without) {
  for (const auto& [name, value] : *one.of_document) {
    if (name != without) into.member(name, value);
  }
  if (!member_of(*one.of_document, "time")) into.member("time", one.time.view());
}

void write_turn(pg::jsonb_builder& into, const item& turn) {
  into.begin_object();
  if (turn.of_document) {
    write_given(into, turn, "role");
    if (!member_of(*turn.of_document, "speaker")) into.member("speaker", speaker_for(turn.what));
    into.member("role", turn.what);
  } else {
    into.name("ms");
    into.number(*turn.ms);
    into.member("role", turn.what);
    into.member("time", turn.time.view());
    if (turn.number) {
      into.name("endMs");
      into.number(*turn.number);
    }
    if (turn.first) into.member("latency", *turn.first);
    into.name("message");
    if (turn.message) {
      into.string(*turn.message);
    } else {
      into.null();
    }
    into.member("speaker", turn.speaker);
    into.name("interrupted");
    into.boolean(turn.flag.value_or(false));
  }
  into.end_object();
}

void write_action(pg::jsonb_builder& into, const item& action) {
  into.begin_object();
  if (action.of_document) {
    write_given(into, action, {});
    if (!member_of(*action.of_document, "status")) {
      const auto ok = member_of(*action.of_document, "ok");
      into.member("status", ok && ok->is_true() ? "success" : "failure");
    }
  } else {
    into.name("ms");
    into.number(*action.ms);
    if (action.flag) {
      into.name("ok");
      into.boolean(*action.flag);
    }
    into.member("time", action.time.view());
    if (action.number) {
      into.name("took");
      into.number(*action.number);
    }
    into.member("action", action.what);
    if (action.second) into.member("result", *action.second);
    into.member("status", action.speaker);
    if (action.first) into.member("arguments", *action.first);
  }
  into.end_object();
}

using writer = void (*)(pg::jsonb_builder&, const item&);

void write_list(pg::jsonb_builder& into, std::string_view name, const items& list, writer write) {
  into.name(name);
  into.begin_array();
  for (const item& one : list) write(into, one);
  into.end_array();
}

void write_empty_list(pg::jsonb_builder& into, std::string_view name) {
  into.name(name);
  into.begin_array();
  into.end_array();
}

// --- merging ------------------------------------------------------------------------------------

items merged(items before, items given) {
  if (given.empty()) return before;
  // Without times on both sides nothing tells which turns are the same ones.
  if (!all_have_ms(before) || !all_have_ms(given)) return given;
  for (const item& late : given) {
    const auto same = std::ranges::find_if(
        before, [&](const item& one) { return one.ms == late.ms && one.what == late.what; });
    if (same != before.end()) {
      *same = late;
    } else {
      before.push_back(late);
    }
  }
  put_in_order(before);
  return before;
}

bool is_empty(const pg::jsonb_value& value) {
  if (value.kind() == pg::jsonb_kind::null) return true;
  return value.kind() == pg::jsonb_kind::array &&
         value.elements().begin() == pg::jsonb_array::end();
}

std::string_view type_of(const pg::jsonb_value& insight) {
  if (insight.kind() != pg::jsonb_kind::object) return {};
  return text_in(insight.members(), "type").value_or("");
}

/// Inside a guard.
void write_insights(pg::jsonb_builder& into, const std::optional<pg::jsonb_array>& before,
                    const pg::jsonb_array& given) {
  into.name("insights");
  into.begin_array();
  if (before) {
    for (const pg::jsonb_value old : *before) {
      bool replaced = false;
      for (const pg::jsonb_value late : given) replaced |= type_of(late) == type_of(old);
      if (!replaced) into.copy(old);
    }
  }
  for (const pg::jsonb_value late : given) into.copy(late);
  into.end_array();
}

bool is_known(std::string_view name) {
  return std::ranges::any_of(results_shape.members,
                             [&](const member& one) { return one.name == name; });
}

bool is_list(std::string_view name) { return name == "transcript" || name == "actionsTaken"; }

}  // namespace

pg::jsonb without_nulls(const pg::jsonb& document) {
  if (document.root().kind() != pg::jsonb_kind::object) return document;
  return pg::guarded([&] {
    pg::jsonb_builder into;
    into.begin_object();
    for (const auto& [name, value] : document.root().members()) {
      if (value.kind() != pg::jsonb_kind::null) into.member(name, value);
    }
    into.end_object();
    return pg::datum_traits<pg::jsonb>::from(into.finish());
  });
}

// --- checks -------------------------------------------------------------------------------------

void check_results(const pg::jsonb& given) {
  if (const auto wrong = results_error(given)) throw_not_valid(*wrong);
  std::size_t members = 0;
  std::string unknown;
  for (const auto& [name, value] : given.root().members()) {
    if (is_known(name)) return;
    if (++members <= 5) unknown.append(members > 1 ? ", \"" : "\"").append(name).append("\"");
  }
  if (members == 0) return;
  throw error("22023", "results have no known member")
      .detail("There is " + unknown + (members > 5 ? " and more." : "."))
      .hint(
          "What another platform reports is taken in by SELECT vrm.import_call(source, payload);");
}

call_facts_given read_given(const pg::jsonb& given) {
  call_facts_given said;
  for (const auto& [name, value] : given.root().members()) {
    if (name == "cost" && value.kind() == pg::jsonb_kind::number) said.cost = value.number();
    if (value.kind() != pg::jsonb_kind::string) continue;
    if (name == "source") said.source = value.text();
    if (name == "externalId") said.external_id = value.text();
    if (name == "direction") said.direction = value.text();
    if (name == "outcome") said.outcome = value.text();
    if (name == "endedReason") said.ended_reason = value.text();
    if (name == "currency") said.currency = value.text();
  }
  if (said.outcome && outcome_known.run({*said.outcome}) == 0) {
    throw error("22023", "outcome is not known")
        .detail("Got \"" + std::string(said.outcome->substr(0, 100)) + "\".")
        .hint("SELECT name FROM vrm.call_outcomes; the DBA adds words there.");
  }
  return said;
}

void check_size(Datum document) {
  const std::size_t size = VARSIZE_ANY(DatumGetPointer(document));
  if (size <= largest) return;
  throw error("54000", "results are too large")
      .detail("They have " + std::to_string(size) + " bytes, at most " + std::to_string(largest) +
              " are kept.")
      .hint("Leave out what is kept elsewhere, such as audio or raw model output.");
}

// --- documents ----------------------------------------------------------------------------------

namespace {

/// What a report says itself, so that nothing is worked out for it.
struct stated {
  bool duration = false;
  bool count = false;
  bool insights = false;
};

stated look_at(const pg::jsonb_value& given, bool had_turns, bool had_actions) {
  stated found;
  for (const auto& [name, value] : given.members()) {
    found.duration |= name == "duration";
    found.count |= name == "actions";
    found.insights |= name == "insights";
    if (name == "transcript" && had_turns) {
      throw_not_valid("/transcript: turns were appended to the call already");
    }
    if (name == "actionsTaken" && had_actions) {
      throw_not_valid("/actionsTaken: actions were recorded in the call already");
    }
  }
  return found;
}

}  // namespace

folded fold_results(const vrm::uuid& owner, const vrm::uuid& run,
                    const std::optional<pg::jsonb>& given, std::int64_t elapsed_ms) {
  role_book roles;
  items turns = listed_turns(owner, run, roles);
  items actions = listed_actions(owner, run);
  const bool had_turns = !turns.empty();
  const bool had_actions = !actions.empty();
  stated has;
  if (given) {
    has = look_at(given->root(), had_turns, had_actions);
    if (!had_turns) turns = listed_turns(given->root(), origin::given, roles);
    if (!had_actions) actions = listed_actions(given->root());
  }
  const clock_text duration(elapsed_ms, 1);
  const Datum document = pg::guarded([&] {
    pg::jsonb_builder into;
    into.begin_object();
    if (!has.duration) into.member("duration", duration.view());
    if (!has.count) {
      into.name("actions");
      into.number(static_cast<std::int64_t>(actions.size()));
    }
    if (!has.insights) write_empty_list(into, "insights");
    if (given) {
      for (const auto& [name, value] : given->root().members()) {
        if (!is_list(name)) into.member(name, value);
      }
    }
    write_list(into, "transcript", turns, write_turn);
    write_list(into, "actionsTaken", actions, write_action);
    into.end_object();
    return into.finish();
  });
  check_size(document);
  return {.document = document, .had_turns = had_turns, .had_actions = had_actions};
}

Datum merge_results(const pg::jsonb& before, const pg::jsonb& given) {
  role_book roles;
  const pg::jsonb_value old = before.root();
  const pg::jsonb_value late = given.root();
  const items turns =
      merged(listed_turns(old, origin::stored, roles), listed_turns(late, origin::given, roles));
  const items late_actions = listed_actions(late);
  const items actions = merged(listed_actions(old), late_actions);
  const auto late_insights = array_in(late, "insights");
  const bool counts_anew = !late_actions.empty() && !member_of(late.members(), "actions");
  const Datum document = pg::guarded([&] {
    pg::jsonb_builder into;
    into.begin_object();
    if (old.kind() == pg::jsonb_kind::object) {
      for (const auto& [name, value] : old.members()) {
        if (!is_list(name)) into.member(name, value);
      }
    }
    if (counts_anew) {
      into.name("actions");
      into.number(static_cast<std::int64_t>(actions.size()));
    }
    // Of two members of one name the later counts: the report's replace what was kept.
    for (const auto& [name, value] : late.members()) {
      if (is_list(name) || name == "insights" || is_empty(value)) continue;
      into.member(name, value);
    }
    if (late_insights && late_insights->begin() != pg::jsonb_array::end()) {
      write_insights(into, array_in(old, "insights"), *late_insights);
    }
    write_list(into, "transcript", turns, write_turn);
    write_list(into, "actionsTaken", actions, write_action);
    into.end_object();
    return into.finish();
  });
  check_size(document);
  return document;
}

}  // namespace vrm::sql
