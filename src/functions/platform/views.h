#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "boundary/backend.h"

extern "C" {
#include "nodes/parsenodes.h"
}

namespace vrm::sql {

/// Gives views of an older platform the definition of the newer one.
///
/// CREATE OR REPLACE does it while columns stay or are added at the end.  Else the view is dropped
/// and made anew, with its owner, privileges, comments, triggers and rules, and so are views of the
/// platform that lean on it.  Whatever else leans on it is a DBA's, and an error.
class view_replacement {
 public:
  /// `views` are those of the platform that are there.
  explicit view_replacement(std::vector<Oid> views) : views_(std::move(views)) {}

  /// Executes CREATE VIEW of `script` for a view that is there.
  void replace(const RawStmt* statement, const char* script, Oid existing);

  /// To be called when a view has been made: gives it what it had before replace() dropped it,
  /// for the sake of a view that it leans on.  False when it is a new one.
  bool restore(Oid view);

 private:
  /// What a view has but for its definition, as a statement; of a column, if that is still there.
  struct possession {
    std::string statement;
    std::optional<std::string> column;
  };

  void drop(Oid view);

  std::vector<Oid> views_;  ///< of the platform, made anew when one of them is dropped
  std::map<std::string, std::vector<possession>> dropped_;  ///< by name
};

}  // namespace vrm::sql
