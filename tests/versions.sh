#!/usr/bin/env bash
# Runs the tests that meet third parties with the oldest of these that are supported, or with the newest of PyPI:
# versions.sh oldest|newest. The environments are made anew each time: what is newest changes.
set -euo pipefail
cd "$(dirname "$0")/.."
tools="pytest pytest-xdist pytest-randomly hypothesis jsonschema moto[server]"
case ${1:-} in
    oldest) version=3.10 pins=(-c tests/oldest.txt) ;;
    newest) version=3.13 pins=(--upgrade) ;;
    *) echo "versions.sh oldest|newest" >&2; exit 2 ;;
esac
python=python$version  # where pyenv is, the name alone may be a shim that refuses
if command -v pyenv >/dev/null; then python=$(PYENV_VERSION=$(pyenv latest $version) pyenv which "python$version"); fi
venv=.venv-$1
"$python" -m venv --clear "$venv"
# shellcheck disable=SC2086  # a list of words
"$venv/bin/python" -m pip --disable-pip-version-check --quiet install "${pins[@]}" . $tools
"$venv/bin/python" -m pip --disable-pip-version-check --quiet uninstall -y agentdoctor  # the checkout is tested
echo "== $("$python" --version), $1: $("$venv/bin/python" -m pip list --format freeze | grep -iE '^(boto3|watchdog|psutil|pyyaml)=' | tr '\n' ' ')"
"$venv/bin/python" -m pytest -q -n auto tests/sinks tests/service tests/tailing tests/probes tests/appspec \
    tests/test_settings.py tests/test_asking.py tests/test_cli.py
