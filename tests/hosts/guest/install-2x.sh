#!/bin/bash
# What the package of agent 2.x leaves on a host, also on one that has 1.x: a unit of its own and no init script. The
# configuration, the deployments and the log of 1.x stay and are gone on with.
set -euo pipefail
here=/agentdoctor/tests/hosts/guest
home=/opt/codedeploy-agent

if [ -e /etc/init.d/codedeploy-agent ]; then
    systemctl stop codedeploy-agent
    rm -r /etc/init.d/codedeploy-agent "$home/lib" "$home/bin"
    update-rc.d codedeploy-agent remove >/dev/null 2>&1
fi

# The program is a Python of its own that runs agent2.py before it looks at its arguments: so its file, its name and its
# command line are those of the real one.
packages=$home/lib/python3.11/site-packages
mkdir -p "$home/bin" "$home/state/.pid" "$packages" /var/log/aws/codedeploy-agent /etc/codedeploy-agent/conf
install -m 755 "$(readlink -f /usr/bin/python3)" "$home/bin/codedeploy-agent"
printf 'home = /usr/bin\ninclude-system-site-packages = true\n' >"$home/pyvenv.cfg"
cp "$here"/{agent2,client2,deploy2,log2}.py "$packages/"
printf 'import os, sys; sys.path.append("/usr/lib/python3/dist-packages"); %s\n' \
    'import agent2; os._exit(agent2.run(sys.orig_argv[1:]))' >"$packages/agent.pth"

configuration=/etc/codedeploy-agent/conf/codedeployagent.yml
[ -e "$configuration" ] || install -m 644 "$here/codedeployagent.yml" "$configuration"
install -m 644 "$here/codedeploy-agent.service" /lib/systemd/system/codedeploy-agent.service
systemctl daemon-reload
systemctl enable --quiet codedeploy-agent
