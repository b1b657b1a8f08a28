#!/usr/bin/env bash
# Runs the tests on other Pythons, as far as this machine has them: interpreters.sh VENV VERSION...
# VENV is the environment whose Python was tested already. The others are kept in .venv-3.X between runs.
set -euo pipefail
cd "$(dirname "$0")/.."

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

# A shim of pyenv's answers to the name and then refuses: only what says its version counts.
python_of() {
    local found full
    found=$(command -v "python$1" || true)
    if [ -n "$found" ] && [ "$(version_of "$found")" = "$1" ]; then
        echo "$found"
    elif command -v pyenv >/dev/null && full=$(pyenv latest "$1" 2>/dev/null); then
        PYENV_VERSION=$full pyenv which "python$1" 2>/dev/null || true
    fi
}

# systemd-python has no wheels, and other Pythons come without the headers to build it.
lock_without_systemd() {
    awk '/^[a-z0-9]/ { skip = /^systemd-python==/ } !skip' requirements-dev.lock
}

set_up() {  # set_up PYTHON VENV
    [ "$2/.dev" -nt requirements-dev.lock ] && [ "$2/.dev" -nt pyproject.toml ] && "$2/bin/python" -c '' && return
    "$1" -m venv --clear "$2"
    lock_without_systemd >"$2/requirements.lock"
    local pip=("$2/bin/python" -m pip --disable-pip-version-check --quiet install)
    "${pip[@]}" --require-hashes -r requirements-build.lock
    "${pip[@]}" --require-hashes --only-binary :all: -r "$2/requirements.lock"
    "${pip[@]}" --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
    touch "$2/.dev"
}

# What is about rules, words and counts alone is the same on every Python, and so are templates.
run_tests() {  # run_tests PYTHON ARGUMENTS
    "$1" -m pytest "${@:2}" --ignore tests/cloud \
        --ignore-glob 'tests/test_verdicts*' --ignore-glob 'tests/test_formats*' \
        --ignore tests/test_work.py --ignore tests/test_recall.py --ignore tests/test_rules.py \
        --ignore tests/test_draft.py --ignore tests/test_docs.py --ignore tests/test_chain.py \
        --ignore tests/test_each_probe_fails.py --ignore tests/test_nine_causes.py
}

tested=$(version_of "$1/bin/python")
for version in "${@:2}"; do
    [ "$version" != "$tested" ] || continue
    python=$(python_of "$version")
    if [ -z "$python" ]; then
        echo "-- Python $version: none on this machine"
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "-- Python $version: not tested, $python has no venv module"
    else
        set_up "$python" ".venv-$version"
        echo "== $("$python" --version)"
        run_tests ".venv-$version/bin/python" -n auto || {
            echo "once more, those alone: what fails beside others only is still a defect, of a test"
            run_tests ".venv-$version/bin/python" --last-failed
        }
    fi
done
