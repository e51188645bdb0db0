#pragma once

#include <cstddef>
#include <string_view>

namespace vrm {

/// How many parts of a regular expression of PostgreSQL may be left out, once what is repeated a
/// number of times is written out: (a?){100} has 100.  Compiling takes time that grows with the
/// cube of it.  Simple ranges such as .{0,250} count once, because they cost little.
///
/// Of what is not a regular expression the answer is some number.
[[nodiscard]] std::size_t optional_parts(std::string_view pattern);

/// Whether it begins with a director or options that change how all of it is read: ***, (?x).
[[nodiscard]] bool has_other_syntax(std::string_view pattern) noexcept;

}  // namespace vrm
