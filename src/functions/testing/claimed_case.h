#pragma once

#include <memory>

#include "boundary/call/row_set.h"
#include "functions/testing/begun_calls.h"

namespace vrm::sql {

/// What a runner is told of the calls that it has taken: a row of vrm.claim_test_run() for each.
class case_teller {
 public:
  case_teller();
  case_teller(const case_teller&) = delete;
  case_teller& operator=(const case_teller&) = delete;
  ~case_teller();

  /// Adds nothing when the call is gone.
  void tell(const pg::row_set& rows, const vrm::uuid& owner, const taken_call& call);

  void finish();

 private:
  struct tables;
  std::unique_ptr<tables> tables_;
};

}  // namespace vrm::sql
