#!/usr/bin/env bash
# Builds dist/agentdoctor_VERSION_all.deb with what the distribution has, no network: deb.sh [VERSION]
# Built in a copy, so that the checkout stays as it is. VERSION is that of the program unless another one is named, as
# the tests of upgrades do. The same sources give the same bytes: all times are that of the last commit.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:-$(python3 -c 'import agentdoctor; print(agentdoctor.__version__)')}
tools="debhelper dh-python fakeroot dpkg-dev pybuild-plugin-pyproject python3-all python3-setuptools python3-wheel"

# shellcheck disable=SC2086  # a list of words
if ! dpkg -s $tools >/dev/null 2>&1; then
    echo "Building a .deb needs: sudo apt-get install --no-install-recommends $tools" >&2
    exit 1
fi
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source=$work/agentdoctor-$version
mkdir "$source"
tar -c --exclude=__pycache__ agentdoctor packaging pyproject.toml README.md CHANGELOG.md LICENSE | tar -x -C "$source"
cp -r packaging/debian "$source/debian"
cp -r systemd "$source/systemd"
sed -i "s/^__version__ = .*/__version__ = \"$version\"/" "$source/agentdoctor/__init__.py"
cat >"$source/debian/changelog" <<END
agentdoctor ($version) unstable; urgency=medium

  * What changed is in CHANGELOG.md.

 -- $(sed -n 's/^Maintainer: //p' packaging/debian/control)  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END

# The umask, the locale and the PATH of whoever builds must not be seen in the package; another Python neither.
umask 022
log=$work/log
(cd "$source" && env -i HOME="$work" LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" dpkg-buildpackage --build=binary --no-sign) >"$log" 2>&1 || {
    tail -40 "$log" >&2
    exit 1
}
mkdir -p dist
mv "$work/agentdoctor_${version}_all.deb" dist/
echo "dist/agentdoctor_${version}_all.deb"
