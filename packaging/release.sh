#!/usr/bin/env bash
# Builds all that a release has, twice where it must be the same, and installs each where nothing of ours is. Needs the
# network for pip, and root for the clean roots (see tests/hosts/root.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(python3 -c 'import agentdoctor; print(agentdoctor.__version__)')
work=$(mktemp -d)
trap 'umount -qR "$work"/*/root 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT
pip="-m pip --disable-pip-version-check --quiet"

step() { printf '== %s\n' "$*"; }

works() {  # works COMMAND...: the program begins, judges this host and knows its rules
    test "$("$@" --version)" = "agentdoctor $version"
    "$@" rules test
    "$@" check --no-network >"$work/check" || test $? -le 2 || { cat "$work/check"; return 1; }
    "$@" status >"$work/status" || test $? -eq 3 || { cat "$work/status"; return 1; }
    ! grep -q Traceback "$work/check" "$work/status"
}

step "CHANGELOG.md tells of $version, or of what is not released yet"
grep -qE "^## ($version|Unreleased)" CHANGELOG.md

step "the .deb, twice"
packaging/deb.sh >/dev/null
first=$(sha256sum <"dist/agentdoctor_${version}_all.deb")
packaging/deb.sh >/dev/null
test "$first" = "$(sha256sum <"dist/agentdoctor_${version}_all.deb")"
lintian --allow-root --fail-on error,warning "dist/agentdoctor_${version}_all.deb"

step "sdist and wheel"
python3 -m venv "$work/tools"
# shellcheck disable=SC2086  # a list of words
"$work/tools/bin/python" $pip install build twine pipx
rm -f dist/*.whl dist/*.tar.gz
"$work/tools/bin/python" -m build --outdir dist >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
"$work/tools/bin/twine" check --strict dist/*.whl dist/*.tar.gz

for what in "dist/agentdoctor-$version-py3-none-any.whl" "dist/agentdoctor-$version.tar.gz" .; do
    step "pip install $what"
    python3 -m venv --clear "$work/clean"
    # shellcheck disable=SC2086
    "$work/clean/bin/python" $pip install "$what"
    (cd "$work" && works "$work/clean/bin/agentdoctor")
done
step "pipx install"
export PIPX_HOME=$work/pipx PIPX_BIN_DIR=$work/bin
"$work/tools/bin/pipx" install "dist/agentdoctor-$version-py3-none-any.whl" >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
(cd "$work" && works "$work/bin/agentdoctor")

for suite in bookworm trixie; do
    step "the .deb on a clean $suite"
    tests/hosts/root.sh ".hosts/$suite" "$suite"
    mkdir -p "$work/$suite/upper" "$work/$suite/work" "$work/$suite/root"
    mount -t overlay -o "lowerdir=.hosts/$suite,upperdir=$work/$suite/upper,workdir=$work/$suite/work" overlay "$work/$suite/root"
    mount -t proc proc "$work/$suite/root/proc"
    cp "dist/agentdoctor_${version}_all.deb" "$work/$suite/root/srv/"
    inside=(chroot "$work/$suite/root")
    "${inside[@]}" apt-get -qq install -y "/srv/agentdoctor_${version}_all.deb" >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
    works "${inside[@]}" agentdoctor
    "${inside[@]}" apt-get -qq purge -y agentdoctor >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
    umount "$work/$suite/root/proc"
done
step "$version can be released"
