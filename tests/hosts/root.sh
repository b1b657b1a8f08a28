#!/usr/bin/env bash
# Makes the Debian root that the hosts of the tests are booted from: root.sh DIRECTORY [SUITE]. Done once, it is not done
# again. What the .deb depends on is in it, so that installing that needs nothing from outside.
set -euo pipefail
root=$1 suite=${2:-bookworm}
packages=systemd,systemd-sysv,dbus,python3,python3-psutil,python3-yaml,python3-requests,python3-systemd,python3-watchdog,python3-venv,iproute2
packages=$packages,iptables,ca-certificates,openssl,procps,acl,sudo,curl,wget,python3-boto3,libfaketime

if [ "$(cat "$root/.packages" 2>/dev/null)" = "$packages" ]; then exit 0; fi
if ! command -v debootstrap >/dev/null || ! command -v systemd-nspawn >/dev/null; then
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends debootstrap systemd-container >/dev/null
fi
echo "making a Debian root in $root (a minute or two)"
rm -rf "$root"
mkdir -p "$root"
debootstrap --variant=minbase --include="$packages" "$suite" "$root" >"$root.log" 2>&1 || {
    tail -20 "$root.log"
    exit 1
}
printf '%s' "$packages" >"$root/.packages"
