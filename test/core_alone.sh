#!/bin/sh
# Proves that src/core needs no PostgreSQL: no file so much as names a PostgreSQL header, and every
# header compiles by itself with only src/ to include from.  So does every source: CMake's library.
# usage: core_alone.sh [COMPILER]
set -eu
cd "$(dirname "$0")/.."
postgres='postgres|fmgr|(boundary|functions|access|catalog|utils|executor|commands)/'
if grep -rnE "# *include *[<\"]($postgres)" src/core; then
    echo 'src/core includes PostgreSQL'
    exit 1
fi
printf '%s\n' src/core/*/*.h | xargs -P "$(nproc)" -I '{}' \
    "${1:-c++}" @compile_flags.txt -Isrc -fsyntax-only -include '{}' -x c++ /dev/null
echo "$(find src/core -type f | wc -l) files know nothing of PostgreSQL"
