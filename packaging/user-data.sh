#!/bin/sh
# User data of an EC2 instance (Ubuntu 22.04 or later, Debian 12 or later): installs agentdoctor at the first boot.
# What it did stands in /var/log/cloud-init-output.log.
set -eu

# Fill these in. The package is your own copy of agentdoctor_VERSION_all.deb: s3://BUCKET/KEY, which the role of the
# instance may read (s3:GetObject), or https://HOST/PATH. Its checksum is what sha256sum prints where it was built.
url='s3://BUCKET/agentdoctor_VERSION_all.deb'
sha256='CHECKSUM'
topic_arn=''  # arn:aws:sns:REGION:ACCOUNT:NAME; empty: alerts go to the journal alone

install_package() {  # install_package URL SHA256: installs what has that checksum, and nothing else
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    package=$folder/agentdoctor.deb
    export DEBIAN_FRONTEND=noninteractive
    # A host that has just booted is often upgrading itself: wait for its lock. Settings that were changed stay.
    apt='apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold'
    $apt update
    case $1 in
        s3://*)
            # boto3 comes with the package anyway; the AWS CLI is not on every image.
            $apt install --no-install-recommends python3-boto3
            python3 -c 'import sys, boto3
bucket, _, key = sys.argv[1][len("s3://"):].partition("/")
boto3.client("s3").download_file(bucket, key, sys.argv[2])' "$1" "$package"
            ;;
        https://*)
            $apt install --no-install-recommends ca-certificates curl
            curl --fail --silent --show-error --location --proto '=https' --retry 5 --output "$package" "$1"
            ;;
        *)
            echo "the package must be s3://BUCKET/KEY or https://HOST/PATH, not $1" >&2
            return 1
            ;;
    esac
    printf '%s  %s\n' "$2" "$package" | sha256sum --check --quiet
    chmod 755 "$folder"  # apt reads it as a user of its own
    $apt install --no-install-recommends "$package"
}

install_package "$url" "$sha256"
if [ -n "$topic_arn" ]; then
    printf 'sns:\n  topic_arn: %s\n' "$topic_arn" >/etc/agentdoctor/agentdoctor.yaml
    agentdoctor config show
    systemctl reload-or-restart agentdoctor
fi
agentdoctor check || true  # a finding is no failure of the boot: it stands in the log, and the service tells it
