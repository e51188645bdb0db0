#pragma once

namespace pg {

/// Once, from _PG_init: what a query frees stays with the process, up to 2 MB, for the next one.
///
/// glibc hands what is free at the end of its heap back to the kernel from 128 kB on, and the next
/// query faults it in again, page by page: more work than aggregates have with what they keep
/// there. A program that has freed a large block once keeps twice its size from then on. Thresholds
/// that an administrator has set in the environment stay what they are.
void keep_freed_memory();

}  // namespace pg
