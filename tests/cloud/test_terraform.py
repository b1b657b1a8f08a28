"""The Terraform module: formatted, valid, applied in an account, and used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from glob import glob
from pathlib import Path

import pytest

from cloud.conftest import REGION, Account, judge
from conftest import TOP

MODULE = TOP / "packaging/terraform"
# Where a provider may lie on a machine that downloads none; TF_PLUGIN_DIR names another place.
PROVIDER = "registry.terraform.io/hashicorp/aws"
MIRRORS = (os.environ.get("TF_PLUGIN_DIR", ""), *glob("/usr/local/share/terraform/plugins"), *glob("/opt/*"))
pytestmark = pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")

ROOT = """
provider "aws" {{
  region                      = "{region}"
  access_key                  = "testing"
  secret_key                  = "testing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {{
    iam = "{url}"
    kms = "{url}"
    sns = "{url}"
    sts = "{url}"
  }}
}}

module "alerts" {{
  source    = "{module}"
  protocol  = "sqs"
  endpoint  = "{queue}"
  role_name = "{role}"
}}

output "topic_arn" {{
  value = module.alerts.topic_arn
}}

output "key_arn" {{
  value = module.alerts.key_arn
}}
"""


def terraform(folder: Path, *arguments: str, environment: Mapping[str, str] = os.environ) -> str:
    """What it prints; it must end well."""
    done = subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env={**environment, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull, "TF_IN_AUTOMATION": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def prepared(folder: Path) -> None:
    """The provider is linked into the folder; skips where none lies on this machine."""
    mirror = next((path for path in MIRRORS if path and (Path(path) / PROVIDER).is_dir()), "")
    if not mirror:
        pytest.skip("there is no mirror of Terraform's AWS provider here")
    terraform(folder, "init", "-backend=false", "-input=false", f"-plugin-dir={mirror}")


def test_it_is_formatted() -> None:
    """As terraform fmt does it."""
    assert terraform(TOP, "fmt", "-check", "-recursive", "-diff", str(MODULE)) == ""


def test_an_alert_arrives(account: Account, tmp_path: Path) -> None:
    """Valid by the schema of the provider, without a warning; then the same as by CloudFormation."""
    text = ROOT.format(region=REGION, url=account.url, module=MODULE, queue=account.queue_arn, role=account.role)
    (tmp_path / "main.tf").write_text(text)
    prepared(tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment["AWS_EC2_METADATA_DISABLED"] = "true"
    judged = json.loads(terraform(tmp_path, "validate", "-json"))
    assert (judged["valid"], judged["diagnostics"]) == (True, [])
    terraform(tmp_path, "apply", "-auto-approve", "-input=false", environment=environment)
    outputs = json.loads(terraform(tmp_path, "output", "-json"))

    judge(account, outputs["topic_arn"]["value"], outputs["key_arn"]["value"], tmp_path)
