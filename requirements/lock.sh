#!/bin/sh
# Resolve requirements/all.txt for every supported Python at once (markers tell them apart), with hashes and without
# any address: where packages come from is the business of the machine that installs them.
set -eu

resolver=$(mktemp -d)
trap 'rm -rf "$resolver"' EXIT

PYTHON=${PYTHON:-python3} sh requirements/venv.sh "$resolver/venv"
"$resolver/venv/bin/python" -m pip install --quiet uv
UV_PYTHON_DOWNLOADS=never "$resolver/venv/bin/uv" pip compile pyproject.toml --all-extras \
    --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
    --quiet --output-file requirements/all.txt "$@"
