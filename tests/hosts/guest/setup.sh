#!/bin/bash
# Makes a booted Debian an EC2 instance with agent 1.x on it: its network, AWS's names and certificates, the agent.
set -euo pipefail
here=/agentdoctor/tests/hosts/guest

ip link set lo up
ip addr add 169.254.169.254/32 dev lo
cat >>/etc/hosts <<EOF
127.0.1.1 $(hostname)
127.0.0.2 codedeploy-commands.eu-west-1.amazonaws.com codedeploy-commands-secure.eu-west-1.amazonaws.com
127.0.0.2 s3.eu-west-1.amazonaws.com
EOF

mkdir -p /run/tls /run/queue /root
cd /run/tls
names=DNS:codedeploy-commands.eu-west-1.amazonaws.com,DNS:codedeploy-commands-secure.eu-west-1.amazonaws.com,DNS:s3.eu-west-1.amazonaws.com
new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
$new -subj "/O=Amazon/CN=Amazon Root CA of the test" -keyout ca.key -out ca.pem 2>/dev/null
$new -subj "/CN=codedeploy-commands.eu-west-1.amazonaws.com" -addext "subjectAltName=$names" \
    -addext "basicConstraints=critical,CA:FALSE" -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem 2>/dev/null
cp ca.pem /usr/local/share/ca-certificates/test.crt
update-ca-certificates >/dev/null 2>&1

cat >/run/systemd/system/cloud.service <<EOF
[Service]
ExecStart=/usr/bin/python3 -B $here/cloud.py
EOF
systemctl daemon-reload
systemctl start cloud

mkdir -p /opt/codedeploy-agent/{bin,lib,state/.pid} /var/log/aws/codedeploy-agent /etc/codedeploy-agent/conf
cp "$here/agent.py" "$here/deploy.py" /opt/codedeploy-agent/lib/
printf '#!/bin/sh\nexec /etc/init.d/codedeploy-agent "$1"\n' >/opt/codedeploy-agent/bin/codedeploy-agent
chmod 755 /opt/codedeploy-agent/bin/codedeploy-agent
printf 'agent_version: OFFICIAL_1.8.1-99_deb\n' >/opt/codedeploy-agent/.version
cat >/etc/codedeploy-agent/conf/codedeployagent.yml <<EOF
---
:log_aws_wire: false
:log_dir: '/var/log/aws/codedeploy-agent/'
:pid_dir: '/opt/codedeploy-agent/state/.pid/'
:program_name: codedeploy-agent
:root_dir: '/opt/codedeploy-agent/deployment-root'
:verbose: false
:wait_between_runs: 1
:proxy_uri:
:max_revisions: 5
EOF
install -m 755 "$here/codedeploy-agent" /etc/init.d/codedeploy-agent
printf '#!/bin/sh\nPYTHONPATH=/agentdoctor exec /usr/bin/python3 -B -m agentdoctor "$@"\n' >/usr/local/bin/agentdoctor
chmod 755 /usr/local/bin/agentdoctor
systemctl daemon-reload
update-rc.d codedeploy-agent defaults >/dev/null 2>&1
until (exec 3<>/dev/tcp/127.0.0.2/443) 2>/dev/null; do sleep 0.05; done
