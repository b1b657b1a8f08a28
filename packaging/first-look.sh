#!/bin/sh
# Shows the doctor at work: first-look.sh AGENTDOCTOR
# What is found is no failure of this script; a doctor that does not run is.
set -u
doctor=$1

look() {  # look TITLE VERB: sets code
    printf '\n== %s: agentdoctor %s\n\n' "$1" "$2"
    "$doctor" "$2"
    code=$?
    case $code in
        0) words="nothing that needs you" ;;
        1) words="a warning: the next deployment may fail unless you act" ;;
        2) words="critical: deployments fail, or the agent takes no work" ;;
        3) words="it could not tell; above is why" ;;
        *) echo "agentdoctor $2 did not run (exit code $code)" >&2; exit 1 ;;
    esac
    printf '\n== %s: exit code %s, %s\n' "$1" "$code" "$words"
}

look "A recorded incident, not this machine" demo
if [ "$code" -eq 3 ]; then
    echo "The recorded incident can be told everywhere: this is a bug." >&2
    exit 1
fi
look "This machine" check
