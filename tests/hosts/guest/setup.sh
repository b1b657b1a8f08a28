#!/bin/bash
# Makes a booted Debian an EC2 instance with an agent on it: its network, AWS, then the agent of the generation that the
# argument names (1x or 2x), and the doctor as it stands in the checkout.
set -euo pipefail
here=/agentdoctor/tests/hosts/guest

ip link set lo up
ip addr add 169.254.169.254/32 dev lo
mkdir -p /root
"$here/aws.sh"
printf '#!/bin/sh\nPYTHONPATH=/agentdoctor exec /usr/bin/python3 -B -m agentdoctor "$@"\n' >/usr/local/bin/agentdoctor
chmod 755 /usr/local/bin/agentdoctor
"$here/install-$1.sh"
until (exec 3<>/dev/tcp/127.0.0.2/443) 2>/dev/null; do sleep 0.05; done
