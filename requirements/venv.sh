#!/bin/sh
# Make the virtual environment $1 with $PYTHON, or keep the one that works. It must be at least Python 3.11 and able
# to make environments; some distributions ship `venv` apart, so that is fetched when we may (root, apt), else named.
set -eu

target=$1
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "standfast needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Name another: make setup PYTHON=python3.12" >&2
    exit 1
}

# A moved tree or a removed interpreter leaves an environment that cannot run; a new one costs less than a riddle.
if [ -x "$target/bin/python" ] && "$target/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    exit 0
fi

can_make() { "$python" -c 'import ensurepip, venv' 2>/dev/null; }

if ! can_make && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    apt-get install -y -qq python3-venv
    can_make || apt-get install -y -qq "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
fi
can_make || {
    echo "$python cannot make virtual environments; install its venv module (Debian, Ubuntu: apt-get install python3-venv)" >&2
    exit 1
}

"$python" -m venv --clear "$target"
