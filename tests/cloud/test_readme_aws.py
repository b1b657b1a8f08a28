"""The commands of the README for AWS, typed with the real AWS CLI into an account of moto's."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping

import pytest

from cloud.conftest import Account
from conftest import TOP

README = (TOP / "README.md").read_text()
BLOCKS = [block.replace("\\\n", " ") for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)]
COMMANDS = [row.split("#")[0].strip() for block in BLOCKS for row in block.splitlines() if row.startswith("aws ")]
pytestmark = pytest.mark.skipif(not shutil.which("aws"), reason="the AWS CLI is not installed")


def type_in(command: str, account: Account, places: Mapping[str, str]) -> str:
    """What a command of the README prints, with the words that stand for something replaced."""
    for word, value in places.items():
        command = command.replace(word, value)
    done = subprocess.run(
        shlex.split(command),
        capture_output=True,
        text=True,
        cwd=TOP,
        env={**account.environment(), "AWS_PAGER": ""},
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def command(start: str) -> str:
    (found,) = [row for row in COMMANDS if row.startswith(f"aws {start} ")]
    return found


def test_the_topic(account: Account) -> None:
    """deploy makes the stack; what describe-stacks would show of it moto does not keep for a change set."""
    type_in(command("cloudformation deploy"), account, {"web-hosts": account.role})
    type_in(command("cloudformation describe-stacks"), account, {})

    (topic,) = account.client("sns").list_topics()["Topics"]
    assert topic["TopicArn"].endswith(":agentdoctor-alerts")
    assert len(account.policies()) == 1


def test_a_fleet(account: Account) -> None:
    """The document is made, and sent to hosts by their tag."""
    ec2 = account.client("ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    (host,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    ec2.create_tags(Resources=[host["InstanceId"]], Tags=[{"Key": "Name", "Value": "web"}])

    type_in(command("ssm create-document"), account, {})
    type_in(command("ssm send-command"), account, {"BUCKET": "builds", "VERSION": "1.0", "CHECKSUM": "a" * 64})
    (sent,) = account.client("ssm").list_commands()["Commands"]
    assert sent["DocumentName"] == "agentdoctor-check"
    assert sent["Parameters"] == {
        "PackageUrl": ["s3://builds/agentdoctor_1.0_all.deb"],
        "PackageSha256": ["a" * 64],
        "FailOn": ["critical"],
    }


def test_all_are_typed_here() -> None:
    """But for the copy of what a build makes, and for the list of invocations, which moto does not have."""
    told = {" ".join(row.split()[1:3]) for row in COMMANDS}

    assert told == {
        "cloudformation deploy",
        "cloudformation describe-stacks",
        "s3 cp",
        "ssm create-document",
        "ssm send-command",
        "ssm list-command-invocations",
    }
