// Call reports of other platforms: read into one row each, which SQL makes calls of.
#include "core/calls/imports.h"

#include <algorithm>
#include <charconv>

#include "boundary/call/procedure.h"
#include "boundary/call/spi.h"
#include "boundary/value/jsonb.h"
#include "boundary/value/record.h"
#include "core/calls/imports_values.h"
#include "core/platform/error.h"
#include "functions/calls/vocabulary.h"

namespace vrm::sql {
namespace {

using milliseconds = std::chrono::milliseconds;
using words = std::optional<std::string>;

/// jsonb as the nodes that its text would have given, without making the text.
class node_list {
 public:
  explicit node_list(const pg::jsonb_value& root) { add(root, 1); }

  [[nodiscard]] std::vector<json::node> take() && { return std::move(nodes_); }

 private:
  static constexpr int deepest = 32;  // as the reader of texts

  void add_string(std::string_view text) {
    nodes_.push_back({.type = json::kind::string, .text = text, .end = nodes_.size() + 1});
  }

  void add_scalar(json::kind type, std::string_view text) {
    nodes_.push_back({.type = type, .text = text, .end = nodes_.size() + 1});
  }

  void add(const pg::jsonb_value& value, int depth) {
    if (depth > deepest) {
      throw vrm::error("22023", "call report cannot be read")
          .detail("/: values are nested more than 32 deep.")
          .hint("Reports of calls are flat: leave out what is nested so deeply.");
    }
    switch (value.kind()) {
      case pg::jsonb_kind::null:
        return add_scalar(json::kind::null, "null");
      case pg::jsonb_kind::boolean:
        return add_scalar(json::kind::boolean, value.is_true() ? "true" : "false");
      case pg::jsonb_kind::number:
        // The text is allocated in the current memory context, which outlasts the document.
        return add_scalar(json::kind::number, value.number_text());
      case pg::jsonb_kind::string:
        return add_string(value.text());
      case pg::jsonb_kind::array:
      case pg::jsonb_kind::object:
        return add_container(value, depth);
    }
  }

  void add_container(const pg::jsonb_value& value, int depth) {
    const bool is_array = value.kind() == pg::jsonb_kind::array;
    const std::size_t index = nodes_.size();
    add_scalar(is_array ? json::kind::array : json::kind::object, {});
    if (is_array) {
      for (const pg::jsonb_value element : value.elements()) {
        pg::check_for_interrupts();
        add(element, depth + 1);
      }
    } else {
      // jsonb has no two members of one name, so there is nothing to refuse as the reader does.
      for (const auto& [name, member] : value.members()) {
        add_string(name);
        add(member, depth + 1);
      }
    }
    nodes_[index].end = nodes_.size();
  }

  std::vector<json::node> nodes_;
};

std::optional<std::string> given(std::string&& text) {
  if (text.empty()) return std::nullopt;
  return std::move(text);
}

std::optional<pg::timestamp> given(std::optional<imports::moment> moment) {
  if (!moment) return std::nullopt;
  return pg::timestamp(milliseconds(*moment));
}

std::optional<pg::jsonb_text> unknown_words(const imports::report& read) {
  if (read.unknown.empty()) return std::nullopt;
  std::string text = "[";
  for (const auto& [field, word] : read.unknown) {
    if (text.size() > 1) text += ',';
    json::append_quoted(text += "[", field);
    json::append_quoted(text += ",", word);
    text += ']';
  }
  return pg::jsonb_text{text + "]"};
}

words notes_of(const imports::report& read) {
  std::string text;
  for (const std::string& note : read.notes) {
    if (!text.empty()) text += "; ";
    text += note;
    if (text.size() > 1000) break;  // thousands of one kind say no more
  }
  return given(std::move(text));
}

std::string_view name_of(imports::disposition what) {
  constexpr std::array<std::string_view, 3> names = {"call", "part", "ignored"};
  return names[static_cast<std::size_t>(what)];
}

using moment = std::optional<pg::timestamp>;
using jsonb = std::optional<pg::jsonb_text>;

// what, reason, source, external_id, started_at, ended_at, is_guess, status, ended_reason,
// outcome, direction, cost, currency, error, results, clock, notes, unknown
using report_row = pg::record<std::string, words, words, words, moment, moment, bool, words, words,
                              words, words, words, words, words, jsonb, moment, words, jsonb>;

constexpr std::size_t largest_results = 16'777'216;  ///< constraint results_size says so, too

/// What a document has as jsonb, which may be more than as text; counted only where it matters.
std::size_t kept_size(const std::string& text) {
  constexpr std::size_t most_growth = 8;  // of an array of digits
  if (text.size() <= largest_results / most_growth || text.size() > largest_results) {
    return text.size();
  }
  const Datum document = pg::datum_traits<pg::jsonb_text>::to({text});
  const std::size_t size = VARSIZE_ANY(DatumGetPointer(document));
  pg::guarded([&] { pfree(DatumGetPointer(document)); });
  return std::max(text.size(), size);
}

report_row refusal(const std::string& reason) {
  report_row row;
  std::get<0>(row) = "refused";
  std::get<1>(row) = reason;
  return row;
}

report_row row_of(imports::source from, imports::report read) {
  std::optional<pg::jsonb_text> results;
  if (read.what != imports::disposition::ignored) {
    std::string text = imports::results_of(read, read.what == imports::disposition::call);
    if (const std::size_t size = kept_size(text); size > largest_results) {
      return refusal("/: is too large: its results would have " + std::to_string(size) +
                     " bytes, at most " + std::to_string(largest_results) + " are kept");
    }
    results = {{std::move(text)}};
  }
  const auto clock = given(read.clock);
  auto notes = notes_of(read);
  auto unknown = unknown_words(read);
  return {std::string(name_of(read.what)),
          given(std::move(read.reason)),
          std::string(imports::name_of(from)),
          given(std::move(read.external_id)),
          given(read.started_at),
          given(read.ended_at),
          read.is_guess,
          given(std::move(read.status)),
          given(std::move(read.ended_reason)),
          given(std::move(read.outcome)),
          given(std::move(read.direction)),
          given(std::move(read.cost)),
          given(std::move(read.currency)),
          given(std::move(read.error)),
          std::move(results),
          clock,
          std::move(notes),
          std::move(unknown)};
}

/// Words that this database has of its own: adapters know only those that all have.
void look_up_roles(imports::report& read) {
  std::optional<pg::spi_session> session;
  role_book roles;
  for (imports::turn& said : read.turns) {
    if (said.role != imports::speaker_role::unknown || said.speaker.empty()) continue;
    if (!session) session.emplace();
    const auto role = roles.find(said.speaker);
    if (!role) continue;
    said.role = imports::role_of(name_of(*role));
    std::erase_if(read.unknown, [&](const imports::unknown_word& one) {
      return one.field == "role" && one.word == said.speaker;
    });
  }
}

}  // namespace

report_row read_report(std::optional<std::string_view> source, pg::jsonb payload,
                       std::optional<std::string_view> external_id,
                       std::optional<pg::timestamp> arrived) {
  if (!arrived || *arrived == pg::timestamp::min() || *arrived == pg::timestamp::max()) {
    throw vrm::error("22023", "call report cannot be read")
        .detail(arrived ? "It arrived at an infinite time." : "It arrived at no time.")
        .hint("SELECT * FROM vrm.read_report(source, payload, NULL, now());");
  }
  try {
    const json::document document(node_list(payload.root()).take());
    const auto which = source ? imports::source_of(*source) : imports::recognise(document.root());
    if (!which && source) {
      return refusal("source \"" + std::string(source->substr(0, 100)) + "\" is not known");
    }
    if (!which) return refusal("/: looks like a report of no source that is known");
    const auto now = std::chrono::floor<milliseconds>(*arrived).time_since_epoch().count();
    imports::report read =
        imports::read(*which, document.root(), now, std::string(external_id.value_or("")));
    look_up_roles(read);
    return row_of(*which, std::move(read));
  } catch (const vrm::error& wrong) {
    // Errors of PostgreSQL's own are no fault of the report's: they go on.
    return refusal(wrong.detail());
  }
}

/// A batch is a transaction of its own, unless the caller's transaction wants to have all of them.
void import_calls(pg::procedure_call& call, std::int32_t batch) {
  for (bool left = true; left;) {
    call.step([&] {
      const pg::spi_session session;
      // The function catches what a single report does wrong: an error here is one of the batch.
      session.execute("SELECT vrm_private.import_batch($1)", batch);
      left = session.column<std::int32_t>(0, 1).value_or(0) > 0;
    });
    if (call.can_commit()) call.commit();
    pg::check_for_interrupts();
  }
}

std::string mended_json(std::string_view payload) {
  std::string text(payload);
  json::mend(text);
  return text;
}

}  // namespace vrm::sql

PG_EXPORT(vrm_read_report, vrm::sql::read_report);
PG_EXPORT(vrm_import_calls, vrm::sql::import_calls);
PG_EXPORT(vrm_mended_json, vrm::sql::mended_json);
