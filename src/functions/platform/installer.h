#pragma once

#include <memory>
#include <string>
#include <vector>

#include "boundary/backend.h"

namespace vrm::sql {

/// Executes DDL that may run any number of times.
///
/// Objects made while it lives belong to the database and not to the extension, even inside
/// CREATE EXTENSION.  What is there must belong to a superuser or to the current user.
class platform_installer {
 public:
  /// Waits for other installers of the database: two would replace the same functions at once.
  platform_installer();
  ~platform_installer();
  platform_installer(const platform_installer&) = delete;
  platform_installer& operator=(const platform_installer&) = delete;

  /// Executes the statements of an upgrade step one by one, as they stand.
  void run_step(const std::string& script);

  /// What becomes of a view that is there: stay as a DBA may have left it, or be what the script
  /// says, as functions always are.
  enum class views { keep, replace };

  /// Executes the statements of the platform one by one, with search_path = pg_catalog, pg_temp,
  /// which stays so until the installer is destroyed.
  ///
  /// A statement without IF NOT EXISTS of its own is passed over when what it makes is there:
  /// types, domains, views, policies, triggers, constraints, column defaults, comments.
  /// Privileges are granted and revoked, and storage is set, only on what this installer has made
  /// itself.  Bodies of functions are not looked at yet, so that they may come in any order.
  void run(const std::string& script, views existing_views);

  /// Has the bodies of all functions that were made or replaced checked by their language; to be
  /// called when the last script has run.
  void check_functions();

 private:
  /// How a script is executed: an upgrade's step, or the platform's whole script with views that
  /// stay or are made anew.
  enum class manner { as_it_stands, what_is_missing, views_anew };

  void execute(const std::string& script, manner how);
  [[nodiscard]] bool is_kept(Oid object) const;
  [[nodiscard]] bool is_needed(Node* statement, Oid existing) const;
  void grant(Node* statement) const;

  struct state;
  std::unique_ptr<state> state_;
};

/// First lines of the statements of `script` that would make something that is not there; nothing
/// is executed.  Says nothing of what statements other than CREATE and ALTER would do.
[[nodiscard]] std::vector<std::string> missing_objects(const std::string& script);

}  // namespace vrm::sql
