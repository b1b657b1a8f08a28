#!/bin/sh
# Runs a command in a network of its own, in which this host has the address of the metadata service: alone.sh COMMAND...
set -eu
# shellcheck disable=SC2016  # the inner shell's own arguments
exec unshare --net -- sh -euc 'ip link set lo up; ip addr add 169.254.169.254/32 dev lo; exec "$@"' alone "$@"
