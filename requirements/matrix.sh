#!/bin/sh
# Run the tests under each Python named ("3.12 3.13"), each in an environment of its own beside .venv. Formatting,
# types and contracts do not depend on the interpreter that runs them, so `make check` once is enough.
set -eu

interpreter() {
    if command -v pyenv >/dev/null && home=$(pyenv prefix "$(pyenv latest "$1" 2>/dev/null)" 2>/dev/null); then
        echo "$home/bin/python"
    else
        command -v "python$1" || { echo "no Python $1 here: install it, or run make matrix MATRIX=..." >&2; return 1; }
    fi
}

failed=
for version in "$@"; do
    python=$(interpreter "$version")
    echo "== $("$python" -V)"
    make --no-print-directory setup VENV=".venv-$version" PYTHON="$python"
    ".venv-$version/bin/python" -m pytest ${ARGS:-} || failed="$failed $version"
done

[ -z "$failed" ] || { echo "failed under Python$failed" >&2; exit 1; }
