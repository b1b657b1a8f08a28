"""The CloudFormation template: judged by cfn-lint, made in an account, and used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cloud.conftest import Account, judge
from conftest import TOP

TEMPLATE = TOP / "packaging/cloudformation/alerts.yaml"


def made(account: Account, **parameters: str) -> dict[str, Any]:
    """The outputs of a stack."""
    cloudformation = account.client("cloudformation")
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    cloudformation.create_stack(
        StackName="alerts", TemplateBody=TEMPLATE.read_text(), Parameters=given, Capabilities=["CAPABILITY_IAM"]
    )
    (stack,) = cloudformation.describe_stacks(StackName="alerts")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    finish(account.client("sns"), {**parameters, "Topic": outputs["TopicArn"]})
    return outputs


def finish(sns: Any, known: dict[str, str]) -> None:
    """What moto's CloudFormation lacks: the policy and the subscription, by the calls that AWS's own makes for them."""
    from cfnlint.decode import decode

    template, problems = decode(str(TEMPLATE))
    assert problems == []
    resources = json.loads(json.dumps(template["Resources"]), object_hook=lambda x: known.get(x.get("Ref"), x))
    policy, subscription = (resources[name]["Properties"] for name in ("TopicPolicy", "Subscription"))
    sns.set_topic_attributes(
        TopicArn=policy["Topics"][0], AttributeName="Policy", AttributeValue=json.dumps(policy["PolicyDocument"])
    )
    if known.get("Endpoint"):
        sns.subscribe(**subscription)


def test_cfn_lint_finds_nothing() -> None:
    """Neither errors nor warnings nor remarks."""
    pytest.importorskip("cfnlint", reason="cfn-lint is not installed")
    command = [sys.executable, "-c", "from cfnlint.runner import main; main()", "--include-checks", "I", "--", TEMPLATE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_an_alert_arrives(account: Account, tmp_path: Path) -> None:
    """With a key, a policy of the topic and one of the role that allow what is needed and no more."""
    outputs = made(account, Protocol="sqs", Endpoint=account.queue_arn, RoleName=account.role)

    judge(account, outputs["TopicArn"], outputs["KeyArn"], tmp_path)


def test_without_a_subscriber_and_a_role(account: Account) -> None:
    """There is a policy to attach, attached to nobody."""
    outputs = made(account)

    assert account.client("sns").list_subscriptions()["Subscriptions"] == []
    assert account.policies() == []
    assert account.client("iam").get_policy(PolicyArn=outputs["PolicyArn"])["Policy"]["AttachmentCount"] == 0
