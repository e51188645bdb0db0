#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "boundary/call/spi.h"

namespace pg {

/// Plans of queries whose text is put together at run time; a backend plans each once and keeps it.
/// Of a text that is known beforehand, see statement.h.
class kept_plans {
 public:
  /// Runs a read-only query with the snapshot of the calling statement, inside an spi_session,
  /// which then has its rows; how many.  Names are qualified.
  std::uint64_t query(const std::string& text, std::span<const Oid> types,
                      std::span<const Datum> values) {
    const SPIPlanPtr plan = plan_of(text, types);
    return guarded([&] {
      SPI_execute_plan(plan, const_cast<Datum*>(values.data()), nullptr, true, 0);
      return SPI_processed;
    });
  }

 private:
  static constexpr std::size_t most = 64;

  SPIPlanPtr plan_of(const std::string& text, std::span<const Oid> types) {
    const auto query = std::pair(text, std::vector<Oid>(types.begin(), types.end()));
    const auto known = plans_.find(query);
    if (known != plans_.end()) return known->second;
    if (plans_.size() >= most) forget();
    const SPIPlanPtr made = guarded([&] {
      const SPIPlanPtr plan =
          SPI_prepare_cursor(text.c_str(), static_cast<int>(types.size()),
                             const_cast<Oid*>(types.data()), CURSOR_OPT_GENERIC_PLAN);
      if (plan == nullptr) elog(ERROR, "could not plan: %s", text.c_str());
      SPI_keepplan(plan);
      return plan;
    });
    return plans_.emplace(query, made).first->second;
  }
  void forget() {
    for (const auto& [query, plan] : plans_) SPI_freeplan(plan);
    plans_.clear();
  }

  std::map<std::pair<std::string, std::vector<Oid>>, SPIPlanPtr> plans_;
};

}  // namespace pg
