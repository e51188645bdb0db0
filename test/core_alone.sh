#!/bin/sh
# Proves that src/core needs no PostgreSQL: every file compiles with only src/ to include from,
# and no file so much as names a PostgreSQL header.
# usage: core_alone.sh [COMPILER]
set -eu
cd "$(dirname "$0")/.."
postgres='postgres|fmgr|(boundary|functions|access|catalog|utils|executor|commands)/'
if grep -rnE "# *include *[<\"]($postgres)" src/core; then
    echo 'src/core includes PostgreSQL'
    exit 1
fi
for file in src/core/*/*.h src/core/*/*.cpp; do
    "${1:-c++}" @compile_flags.txt -Isrc -fsyntax-only -include "$file" -x c++ /dev/null
done
echo "$(find src/core -type f | wc -l) files know nothing of PostgreSQL"
