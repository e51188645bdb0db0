#pragma once

#include <optional>
#include <string_view>

#include "boundary/value/jsonb_builder.h"

/// The functions of schema vrm, by their names and the names of their arguments.
namespace vrm::sql::api {

/// What a client asks for.
struct request {
  std::string_view function;
  pg::jsonb arguments;
  std::optional<std::string_view> key;  ///< the call happens once, however often it is repeated
};

/// Calls a function as the current user, who needs EXECUTE on it, and puts what it gives into
/// `document`.  Runs inside an spi_session that lasts until the document is finished.
///
/// Throws 42883 when no such function can be called so, and whatever the function raises.
void call(const request& asked, pg::jsonb_builder& document);

}  // namespace vrm::sql::api
