#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>

namespace vrm {

/// Runs `command` in a shell, with nothing on standard input, and reads what it prints into
/// `output`; returns how much that is.  Calls `meanwhile` some times a second, which may throw.
///
/// Throws std::runtime_error that says why when the command cannot be started, fails, prints more
/// than `output` holds, or takes longer than `patience`.  The command and all that it started in
/// its process group are killed in any case.
std::size_t run_command(const std::string& command, std::span<char> output,
                        std::chrono::milliseconds patience, void (*meanwhile)());

}  // namespace vrm
