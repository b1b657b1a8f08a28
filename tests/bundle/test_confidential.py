"""Secrets in bundles: told by kind and place, never shown, and no noise."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentdoctor.arguments import LINT_FORMATS
from agentdoctor.cli import main
from bundle.packing import HEAD, KINDS, pack, told

KEY = "AKIA" + "QWERTYUIOPASDFGH"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAq\nZm9vYmFy\n-----END RSA PRIVATE KEY-----\n"
HOOK = HEAD + "hooks:\n  AfterInstall:\n    - location: a.sh\n"
SH = "#!/bin/sh\n"
CASES = {
    "an access key in a script": ({"a.sh": f"{SH}export X={KEY}\n"}, "a.sh:2:10 an access key of AWS stands here"),
    "a token in a script": ({"a.sh": f"{SH}curl -H 'X: {TOKEN}' https://x\n"}, "a.sh:2:13 a token stands here"),
    "a private key": ({"conf/tls.pem": PEM}, "conf/tls.pem:1:1 a private key stands here"),
    "a certificate": ({"conf/tls.pem": PEM.replace("RSA PRIVATE KEY", "CERTIFICATE")}, ""),
    "a store of keys": ({"conf/app.jks": "\0"}, "conf/app.jks:0:0 by its name this is a store of keys"),
    "an environment": ({".env": "A=1\nDB_PASSWORD=tr0ub4dor\n"}, ".env:2:13 a password stands here"),
    "an environment without secrets": ({".env": "A=1\nPORT=80\n"}, ""),
    "an environment to fill in": ({".env.example": "DB_PASSWORD=tr0ub4dor\n"}, ""),
    "the key of AWS's own examples": ({".env": "X=AKIAIOSFODNN7EXAMPLE\n"}, ""),
    "a reference": ({".env": "DB_PASSWORD=${FROM_ELSEWHERE}\n"}, ""),
    "a script that asks for a password": ({"a.sh": SH + "read -rp 'password: ' password\n"}, ""),
    "a key of a test of others": ({"node_modules/x/test.pem": PEM}, ""),
    "a module called credentials": ({"lib/credentials.py": "SECRET_KEY = 'tr0ub4dor-and-3'\n"}, ""),
    "credentials": (
        {"lib/credentials": "aws_secret_access_key = tr0ub4dor-and-3\n"},
        "lib/credentials:1:25 a secret key",
    ),
    "a file that is not read": ({"data.bin": KEY}, ""),
    "the AppSpec": ({"appspec.yml": f"{HOOK}# {KEY}\n"}, "appspec.yml:6:3 an access key of AWS stands here"),
    "allowed": (
        {"appspec.yml": f"# agentdoctor: ignore bundle-secret -- of a test\n\n{HOOK}", "k.pem": PEM},
        "k.pem:1:1 a private key stands here",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("files", "expected"), CASES.values(), ids=CASES)
def test_each(files: dict[str, str], expected: str, kind: str, tmp_path: Path) -> None:
    """However the bundle is packed."""
    found = [
        line for line in told(pack(kind, {"appspec.yml": HOOK, "a.sh": SH, **files}, tmp_path)) if "secret" in line
    ]

    assert [line[: len(f"warning bundle-secret {expected}")] for line in found] == (
        [f"warning bundle-secret {expected}"] if expected else []
    )


@pytest.mark.parametrize("format_", LINT_FORMATS)
def test_it_is_never_shown(format_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In no format, wherever else the text is quoted."""
    files = {"appspec.yml": HOOK.replace("a.sh", f"{KEY}.sh"), "a.sh": SH, ".env": f"TOKEN={TOKEN}\n", "k.pem": PEM}

    assert main(["lint", str(pack("directory", files, tmp_path)), "--format", format_]) == 2

    out = capsys.readouterr().out
    assert "bundle-secret" in out
    assert not [secret for secret in (KEY, TOKEN, "Zm9vYmFy") if secret in out]


def test_many_are_counted(tmp_path: Path) -> None:
    """Nobody reads a hundred lines."""
    found = told(pack("tar", {"appspec.yml": HOOK, "a.sh": SH, **{f"{n:03}.pem": PEM for n in range(100)}}, tmp_path))

    assert len(found) == 21
    assert found[-1].endswith("here too, and in 79 more files")
