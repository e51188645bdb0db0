// Holds jsonb documents against their shapes, and names the first place that does not fit.
#include "functions/calls/shapes.h"

#include <optional>
#include <string>

#include "boundary/call/function.h"
#include "boundary/value/jsonb.h"
#include "boundary/value/text.h"
#include "core/calls/shapes.h"

namespace vrm::sql {
namespace {

using mismatch = std::optional<std::string>;

mismatch check(const shape& expected, const pg::jsonb_value& found, const place& where);

std::string at(const place& where, const std::string& reason) {
  const std::string pointer = json_pointer(where);
  return pointer.empty() ? reason : pointer + ": " + reason;
}

bool is_fitting_string(const shape& expected, const pg::jsonb_value& found) {
  if (found.kind() != pg::jsonb_kind::string) return false;
  if (expected.accepts != nullptr && !expected.accepts(found.text())) return false;
  return !pg::longer_than(found.text(), expected.most);
}

bool is_fitting_number(const shape& expected, const pg::jsonb_value& found) {
  if (found.kind() != pg::jsonb_kind::number) return false;
  const auto number = found.whole_number();
  return number && *number >= 0 && static_cast<std::size_t>(*number) <= expected.most;
}

bool is_fitting_amount(const shape& expected, const pg::jsonb_value& found) {
  if (found.kind() != pg::jsonb_kind::number) return false;
  const double amount = found.approximate();
  return amount >= 0 && amount <= static_cast<double>(expected.most);
}

mismatch check_elements(const shape& element, const pg::jsonb_array& elements, const place& where) {
  // One place for all elements: only its index changes, and nobody keeps it.
  place here{.parent = &where};
  for (const pg::jsonb_value found : elements) {
    pg::check_for_interrupts();
    if (auto wrong = check(element, found, here)) return wrong;
    ++here.index;
  }
  return std::nullopt;
}

bool has_member(const pg::jsonb_object& members, std::string_view name) {
  for (const auto& [found, value] : members) {
    if (found == name) return value.kind() != pg::jsonb_kind::null;
  }
  return false;
}

mismatch check_each(const shape& element, const pg::jsonb_object& members, const place& where) {
  for (const auto& [name, found] : members) {
    // A name for messages, alive as long as the check that may need it.
    const member one{.name = name, .value = &element, .required = false, .unless = {}};
    if (auto wrong = check(element, found, {.parent = &where, .named = &one})) return wrong;
  }
  return std::nullopt;
}

/// Both sides are in one order: they are merged, no name is searched for.
mismatch check_members(const shape& expected, const pg::jsonb_object& members, const place& where) {
  const auto missing = [&](const member& absent) -> mismatch {
    if (!absent.required) return std::nullopt;
    if (!absent.unless.empty() && has_member(members, absent.unless)) return std::nullopt;
    return at({.parent = &where, .named = &absent}, "is required");
  };
  auto next = expected.members.begin();
  const auto last = expected.members.end();
  for (const auto& [name, found] : members) {
    // What the shape has and the document not, up to this name.
    for (; next != last && precedes(next->name, name); ++next) {
      if (auto wrong = missing(*next)) return wrong;
    }
    // Members that the shape does not name may be anything.
    if (next == last) return std::nullopt;
    if (name != next->name) continue;
    if (auto wrong = check(*next->value, found, {.parent = &where, .named = &*next})) return wrong;
    ++next;
  }
  for (; next != last; ++next) {
    if (auto wrong = missing(*next)) return wrong;
  }
  return std::nullopt;
}

mismatch check(const shape& expected, const pg::jsonb_value& found, const place& where) {
  bool fits = false;
  switch (expected.type) {
    case shape::kind::anything:
      return std::nullopt;
    case shape::kind::string_or_null:
      fits = found.kind() == pg::jsonb_kind::null || is_fitting_string(expected, found);
      break;
    case shape::kind::string:
      fits = is_fitting_string(expected, found);
      break;
    case shape::kind::boolean:
      fits = found.kind() == pg::jsonb_kind::boolean;
      break;
    case shape::kind::number:
      fits = is_fitting_amount(expected, found);
      break;
    case shape::kind::whole_number:
      fits = is_fitting_number(expected, found);
      break;
    case shape::kind::array:
      if (found.kind() != pg::jsonb_kind::array) break;
      return check_elements(*expected.element, found.elements(), where);
    case shape::kind::object:
      if (found.kind() != pg::jsonb_kind::object) break;
      if (expected.element != nullptr) {
        return check_each(*expected.element, found.members(), where);
      }
      return check_members(expected, found.members(), where);
  }
  if (fits) return std::nullopt;
  return at(where, expectation(expected));
}

}  // namespace

std::optional<std::string> connection_details_error(pg::jsonb document) {
  return check(connection_details_shape, document.root(), {});
}

bool valid_connection_details(pg::jsonb document) {
  return !connection_details_error(document).has_value();
}

std::optional<std::string> results_error(pg::jsonb document) {
  return check(results_shape, document.root(), {});
}

std::optional<std::string> new_turns_error(pg::jsonb document) {
  return check(new_turns_shape, document.root(), {});
}

bool valid_results(pg::jsonb document) { return !results_error(document).has_value(); }

}  // namespace vrm::sql

PG_EXPORT(vrm_connection_details_error, vrm::sql::connection_details_error);
PG_EXPORT(vrm_valid_connection_details, vrm::sql::valid_connection_details);
PG_EXPORT(vrm_results_error, vrm::sql::results_error);
PG_EXPORT(vrm_valid_results, vrm::sql::valid_results);
