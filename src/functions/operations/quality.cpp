// What checks of data quality need of the backend: to tell whether a text is one expression, and to
// run a query with the rights of whoever wrote it.
#include <optional>
#include <string>

#include "boundary/call/function.h"
#include "boundary/call/restricted.h"
#include "boundary/call/spi.h"
#include "boundary/table/relation.h"
#include "core/platform/error.h"
#include "functions/platform/grants.h"

extern "C" {
#include "nodes/parsenodes.h"
#include "parser/parser.h"
}

namespace vrm::sql {
namespace {

/// Whether `statement` is SELECT with one thing to select and nothing else.
bool selects_one_thing(const RawStmt* statement) {
  if (!IsA(statement->stmt, SelectStmt)) return false;
  const auto* select = castNode(SelectStmt, statement->stmt);
  const bool plain = select->op == SETOP_NONE && select->distinctClause == NIL &&
                     select->intoClause == nullptr && select->fromClause == NIL &&
                     select->whereClause == nullptr && select->groupClause == NIL &&
                     select->havingClause == nullptr && select->windowClause == NIL &&
                     select->valuesLists == NIL && select->sortClause == NIL &&
                     select->limitOffset == nullptr && select->limitCount == nullptr &&
                     select->lockingClause == NIL && select->withClause == nullptr;
  return plain && list_length(select->targetList) == 1 &&
         linitial_node(ResTarget, select->targetList)->name == nullptr;
}

}  // namespace

/// Read by PostgreSQL's own parser in the place where checks will stand, so that it cannot mean
/// anything else there; a syntax error is that of the parser.
void check_expression(std::string_view expression) {
  // The line break keeps a comment at the end from taking the parenthesis along.
  const std::string text = "SELECT (" + std::string(expression) + "\n)";
  const bool single = pg::guarded([&] {
    const List* const statements = raw_parser(text.c_str(), RAW_PARSE_DEFAULT);
    return list_length(statements) == 1 && selects_one_thing(linitial_node(RawStmt, statements));
  });
  if (!single) {
    throw error("42601", "a check must be a single expression")
        .detail("It ends before the text does.")
        .hint("For example: 'bytes > 0'.");
  }
}

std::optional<std::string> restricted_query(pg::name_view role, std::string_view query) {
  const std::string text(query);
  // Before SPI, so that the query runs as the role from its first moment on.
  const pg::restricted_scope as_role(role.text);
  const pg::spi_session spi;
  if (spi.query(text.c_str()) == 0) return std::nullopt;
  return spi.column<std::string>(0, 1);
}

}  // namespace vrm::sql

PG_EXPORT(vrm_check_expression, vrm::sql::check_expression);
PG_EXPORT_CHECKED(vrm_restricted_query, vrm::sql::require_grant, vrm::sql::restricted_query);
