#!/bin/sh
# Make the virtual environment $1 hold exactly what the requirements file $2 pins, and this project in place.
set -eu
venv=$1
requirements=$2
python=${PYTHON:-python3}

say() { printf '%s\n' "$*" >&2; }

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "$python is $("$python" --version 2>&1 || echo missing); Python 3.11 or newer is wanted. Name one with: make PYTHON=python3.12 ..."
    exit 2
fi
if [ ! -x "$venv/bin/python" ]; then
    say "Making the virtual environment $venv ..."
    rm -rf "$venv"
    if ! "$python" -m venv "$venv" 2>/dev/null || [ ! -x "$venv/bin/pip" ]; then
        rm -rf "$venv"
        say "Python's venv module is missing or incomplete; on Debian and Ubuntu: apt-get install python3-venv"
        exit 2
    fi
fi

# uv installs in a third of pip's time; where it has no wheel, pip does the same work with the same hashes.
say "Installing what $requirements pins, each file checked against its hash ..."
if "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        -r requirements/uv.txt >/dev/null 2>&1 \
    && "$venv/bin/uv" pip install --no-config --quiet --python "$venv/bin/python" \
        --compile-bytecode --require-hashes --only-binary :all: -r "$requirements"; then
    :
else
    say "uv could not do it; pip tries (slower) ..."
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$requirements"
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation --no-deps --no-index --editable .
