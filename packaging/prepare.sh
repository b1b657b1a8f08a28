#!/bin/sh
# Makes this machine able to set up the virtual environment: prepare.sh PYTHON
# Installs, with apt-get, only what is missing; where there is no apt-get it says what to install by hand.
set -eu
python=$1

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "agentdoctor needs Python 3.10 or newer, and '$python' is not. Try: make PYTHON=python3.12 ..." >&2
    exit 1
fi

missing=
need() {  # need PACKAGE COMMAND...: the package is missing when the command fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

compiles() {  # the C library's headers come in a package of their own, which gcc does not depend on
    echo '#include <stdio.h>' | gcc -E -
}

has_python_header() {
    test -f "$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h"
}

# A Python that is not the distribution's own has its own packages: python3.12-venv, python3.12-dev.
name=python3
[ "$(command -v "$python")" = "$(command -v python3)" ] || name=$(basename "$python")

need "$name-venv" "$python" -c 'import ensurepip, venv'
need gcc command -v gcc
need libc6-dev compiles
need "$name-dev" has_python_header
need pkg-config command -v pkg-config
need libsystemd-dev pkg-config --exists libsystemd

[ -n "$missing" ] || exit 0
echo "Missing system packages:$missing"
if ! command -v apt-get >/dev/null; then
    echo "There is no apt-get here: install what these packages hold by hand, then try again." >&2
    exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "Installing them needs root or sudo." >&2; exit 1; }
    sudo=sudo
fi
# A host that has just booted is often upgrading itself: wait for its lock instead of failing.
apt="$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300"
$apt update
# shellcheck disable=SC2086  # a list of words
$apt install --no-install-recommends $missing
