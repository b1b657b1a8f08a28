#!/bin/bash
# What the package of agent 1.x leaves on a host.
set -euo pipefail
here=/agentdoctor/tests/hosts/guest

mkdir -p /opt/codedeploy-agent/{bin,lib,state/.pid} /var/log/aws/codedeploy-agent /etc/codedeploy-agent/conf
cp "$here/agent.py" "$here/deploy.py" /opt/codedeploy-agent/lib/
printf '#!/bin/sh\nexec /etc/init.d/codedeploy-agent "$1"\n' >/opt/codedeploy-agent/bin/codedeploy-agent
chmod 755 /opt/codedeploy-agent/bin/codedeploy-agent
printf 'agent_version: OFFICIAL_1.8.1-99_deb\n' >/opt/codedeploy-agent/.version
install -m 644 "$here/codedeployagent.yml" /etc/codedeploy-agent/conf/codedeployagent.yml
install -m 755 "$here/codedeploy-agent" /etc/init.d/codedeploy-agent
systemctl daemon-reload
update-rc.d codedeploy-agent defaults >/dev/null 2>&1
