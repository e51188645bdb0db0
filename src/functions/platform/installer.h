#pragma once

#include <memory>
#include <string>
#include <vector>

#include "boundary/backend.h"

namespace vrm::sql {

/// Executes DDL that may run any number of times.
///
/// Objects made while it lives belong to the database and not to the extension, even inside
/// CREATE EXTENSION.  A statement without IF NOT EXISTS of its own is passed over when what it
/// makes is there: types, domains, views, policies, triggers, constraints, column defaults,
/// comments.  Privileges are granted and revoked, and storage is set, only on what this installer
/// has made itself.  What is there must belong to a superuser or to the current user.
class platform_installer {
 public:
  /// Waits for other installers of the database: two would replace the same functions at once.
  platform_installer();
  ~platform_installer();
  platform_installer(const platform_installer&) = delete;
  platform_installer& operator=(const platform_installer&) = delete;

  /// What becomes of a comment that an object has already: a DBA may have written it.
  enum class comments { keep, replace };

  /// Executes the statements of `script` one by one, with search_path = pg_catalog, pg_temp, which
  /// stays so until the installer is destroyed.
  /// Bodies of functions are not looked at yet, so that they may come in any order.
  void run(const std::string& script, comments existing_comments = comments::keep);

  /// Has the bodies of all functions that run() has made or replaced checked by their language;
  /// to be called when the last script has run.
  void check_functions();

 private:
  [[nodiscard]] bool is_kept(Oid object) const;
  bool is_needed(Node* statement, comments existing_comments);
  void grant(Node* statement);

  struct state;
  std::unique_ptr<state> state_;
};

/// First lines of the statements of `script` that would make something that is not there; nothing
/// is executed.  Says nothing of what statements other than CREATE and ALTER would do.
[[nodiscard]] std::vector<std::string> missing_objects(const std::string& script);

}  // namespace vrm::sql
