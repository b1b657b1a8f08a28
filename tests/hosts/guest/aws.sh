#!/bin/bash
# Makes a booted Debian an EC2 instance, for every boot from now on: AWS's names and certificates, and AWS itself, which
# is a unit here.
set -euo pipefail

cat >>/etc/hosts <<EOT
127.0.1.1 $(hostname)
127.0.0.2 codedeploy-commands.eu-west-1.amazonaws.com codedeploy-commands-secure.eu-west-1.amazonaws.com
127.0.0.2 s3.eu-west-1.amazonaws.com
EOT

mkdir -p /srv/tls
cd /srv/tls
names=DNS:codedeploy-commands.eu-west-1.amazonaws.com,DNS:codedeploy-commands-secure.eu-west-1.amazonaws.com,DNS:s3.eu-west-1.amazonaws.com
new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
$new -subj "/O=Amazon/CN=Amazon Root CA of the test" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout ca.key -out ca.pem 2>/dev/null  # Python 3.13 takes no authority that does not say what it may do
$new -subj "/CN=codedeploy-commands.eu-west-1.amazonaws.com" -addext "subjectAltName=$names" \
    -addext "basicConstraints=critical,CA:FALSE" -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem 2>/dev/null
cp ca.pem /usr/local/share/ca-certificates/test.crt
update-ca-certificates >/dev/null 2>&1

cat >/etc/systemd/system/cloud.service <<EOT
[Unit]
DefaultDependencies=no
After=local-fs.target
Before=basic.target
[Service]
ExecStart=/usr/bin/python3 -B /agentdoctor/tests/hosts/guest/cloud.py
RuntimeDirectory=queue
[Install]
WantedBy=basic.target
EOT
systemctl daemon-reload
systemctl enable --quiet --now cloud
