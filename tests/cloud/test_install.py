"""User data and the SSM document: their scripts, run with a bucket of moto's and an apt-get that only notes."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cloud.conftest import REGION, Account
from conftest import TOP

USER_DATA = TOP / "packaging/user-data.sh"
DOCUMENT = TOP / "packaging/ssm/agentdoctor-check.yaml"
PACKAGE = b"a package of Debian\n"
SHA256 = hashlib.sha256(PACKAGE).hexdigest()
URL = "s3://builds/deb/agentdoctor_1.0~rc1_all.deb"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"

# What a host has: each notes how it was called; apt-get keeps the package that it was given.
STUB = """#!/bin/sh
echo "$(basename "$0") $*" >>{folder}/calls
case "$(basename "$0") $*" in
    "agentdoctor check"*) echo "CRITICAL web-07"; exit 2 ;;
    "apt-get "*.deb)
        for last; do :; done
        cat "$last" >{folder}/installed
        stat -c %a "$(dirname "$last")" >{folder}/mode ;;
esac
"""


def document() -> dict[str, Any]:
    return dict(yaml.safe_load(DOCUMENT.read_text()))


def of_user_data(folder: Path, url: str, sha256: str, topic_arn: str = "") -> str:
    """The script with its three lines filled in, and the folder of the settings in the place of /etc."""
    text = USER_DATA.read_text()
    for name, value in {"url": url, "sha256": sha256, "topic_arn": topic_arn}.items():
        text, count = re.subn(rf"^{name}='.*?'", f"{name}='{value}'", text, flags=re.MULTILINE)
        assert count == 1
    return text.replace("/etc/agentdoctor", str(folder))


def of_document(**given: str) -> str:
    """The step as SSM makes it: defaults, what was given, and each value put into the text."""
    (step,) = document()["mainSteps"]
    (text,) = step["inputs"]["runCommand"]
    for name, parameter in document()["parameters"].items():
        value = given.get(name, parameter["default"])
        assert re.search(parameter.get("allowedPattern", ""), value)
        assert value in parameter.get("allowedValues", [value])
        text = text.replace(f"{{{{ {name} }}}}", value)
    assert "{{" not in text
    return str(text)


@pytest.fixture
def host(tmp_path: Path, account: Account) -> Path:
    """A folder with the commands of a host, and the package in a bucket."""
    (tmp_path / "bin").mkdir()
    for name in ("apt-get", "agentdoctor", "systemctl"):
        (tmp_path / "bin" / name).write_text(STUB.format(folder=tmp_path))
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "bin/python3").symlink_to(sys.executable)
    s3 = account.client("s3")
    s3.create_bucket(Bucket="builds", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="builds", Key=URL.removeprefix("s3://builds/"), Body=PACKAGE)
    return tmp_path


def run(script: str, host: Path, account: Account, **more: str) -> subprocess.CompletedProcess[str]:
    """By /bin/sh, as both cloud-init and SSM do it."""
    (host / "tmp").mkdir()
    environment = {**account.environment(), "TMPDIR": str(host / "tmp"), "VIRTUAL_ENV": sys.prefix, **more}
    environment["PATH"] = f"{host}/bin:{environment['PATH']}"
    # a link to the Python of a virtual environment does not find its packages
    environment["PYTHONPATH"] = ":".join(sys.path)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, cwd=host, env=environment, check=False)
    assert list((host / "tmp").iterdir()) == []  # nothing is left behind
    return done


def calls(host: Path) -> list[str]:
    return (host / "calls").read_text().splitlines()


def test_user_data_installs_what_it_names(host: Path, account: Account) -> None:
    """The very package; alerts go to the topic, and a critical finding is no failed boot."""
    done = run(of_user_data(host, URL, SHA256, TOPIC), host, account)

    assert (done.returncode, done.stderr) == (0, "")
    assert (host / "installed").read_bytes() == PACKAGE
    assert (host / "mode").read_text() == "755\n"
    assert yaml.safe_load((host / "agentdoctor.yaml").read_text()) == {"sns": {"topic_arn": TOPIC}}
    assert calls(host)[-3:] == [
        "agentdoctor config show",
        "systemctl reload-or-restart agentdoctor",
        "agentdoctor check",
    ]


def test_user_data_without_a_topic(host: Path, account: Account) -> None:
    """The settings that came with the package stay."""
    assert run(of_user_data(host, URL, SHA256), host, account).returncode == 0
    assert not (host / "agentdoctor.yaml").exists()
    assert [call for call in calls(host) if "apt-get" not in call] == ["agentdoctor check"]


def test_the_document_installs_and_checks(host: Path, account: Account) -> None:
    """What check prints is all of the output; its exit code fails the command where there is a finding."""
    script = of_document(PackageUrl=URL, PackageSha256=SHA256, FailOn="critical", Format="json")
    done = run(script, host, account)

    assert (done.returncode, done.stdout) == (2, "CRITICAL web-07\n")
    assert (host / "installed").read_bytes() == PACKAGE
    assert calls(host)[-1] == "agentdoctor check --fail-on critical --format json"


def test_the_document_without_a_package(host: Path, account: Account) -> None:
    """What is installed is used, and nothing is downloaded."""
    done = run(of_document(), host, account)

    assert (done.returncode, done.stdout) == (2, "CRITICAL web-07\n")
    assert calls(host) == ["agentdoctor check --fail-on warning --format text"]


def test_the_document_where_nothing_is_installed(host: Path, account: Account) -> None:
    """It says what to do, with the exit code of could not tell."""
    (host / "bin/agentdoctor").unlink()
    (host / "calls").write_text("")
    if shutil.which("agentdoctor"):
        pytest.skip("agentdoctor is installed on this machine")
    done = run(of_document(), host, account)

    assert done.returncode == 3
    assert "name a package in PackageUrl" in done.stderr


REFUSED = {
    "another package": (URL, hashlib.sha256(b"another").hexdigest(), "FAILED"),
    "no checksum": (URL, "", "checksum"),
    "an object that is not there": ("s3://builds/absent.deb", SHA256, "Not Found"),
    "a bucket that is not there": ("s3://absent/x.deb", SHA256, ""),
    "a URL without TLS": ("http://127.0.0.1:9/x.deb", SHA256, "the package must be s3://BUCKET/KEY or https://HOST/PATH"),
    "a host that does not answer": ("https://127.0.0.1:9/x.deb", SHA256, ""),
}  # fmt: skip


@pytest.mark.parametrize(("url", "sha256", "said"), REFUSED.values(), ids=REFUSED)
def test_nothing_else_is_installed(url: str, sha256: str, said: str, host: Path, account: Account) -> None:
    """It ends there, with what is wrong."""
    (host / "bin/curl").symlink_to(shutil.which("false") or "/bin/false")  # the real one tries again for a minute
    done = run(of_user_data(host, url, sha256, TOPIC), host, account)

    assert done.returncode != 0
    assert said in done.stdout + done.stderr
    assert not (host / "installed").exists()
    assert not [call for call in calls(host) if call.startswith(("agentdoctor", "systemctl"))]


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
def test_by_https(host: Path, account: Account) -> None:
    """By the real curl, from a server whose certificate it can check."""
    certificate = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subject = ["-addext", "subjectAltName=DNS:localhost", "-keyout", host / "key.pem", "-out", host / "cert.pem"]
    subprocess.run(["openssl", "req", *certificate, *subject], check=True, capture_output=True)
    (host / "www").mkdir()
    (host / "www/agentdoctor.deb").write_bytes(PACKAGE)
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True, cwd=host) as server:
        assert server.stdout
        url = f"https://localhost:{server.stdout.readline().strip()}/agentdoctor.deb"
        done = run(of_user_data(host, url, SHA256), host, account, CURL_CA_BUNDLE=str(host / "cert.pem"), NO_PROXY="*")
        server.kill()

    assert (done.returncode, done.stderr) == (0, "")
    assert (host / "installed").read_bytes() == PACKAGE


SERVE = """
import functools, http.server, ssl
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="www")
handler.log_message = lambda *_: None
server = http.server.HTTPServer(("127.0.0.1", 0), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
"""


def test_both_install_in_the_same_way() -> None:
    """Line by line; there is one way to install, written down twice."""
    function = re.search(r"^install_package\(\) \{.*?^\}\n", USER_DATA.read_text(), re.MULTILINE | re.DOTALL)

    assert function
    assert function[0] in document()["mainSteps"][0]["inputs"]["runCommand"][0]


def test_the_document_is_one(account: Account) -> None:
    """SSM takes it, and shows its parameters with their defaults."""
    ssm = account.client("ssm")
    ssm.create_document(
        Name="agentdoctor-check", DocumentType="Command", DocumentFormat="YAML", Content=DOCUMENT.read_text()
    )
    shown = ssm.describe_document(Name="agentdoctor-check")["Document"]
    parameters = {parameter["Name"]: parameter.get("DefaultValue", "") for parameter in shown["Parameters"]}

    assert (shown["SchemaVersion"], shown["DocumentType"], shown["Status"]) == ("2.2", "Command", "Active")
    assert parameters == {"PackageUrl": "", "PackageSha256": "", "FailOn": "warning", "Format": "text"}


HOSTILE = (
    "s3://b/x.deb'; reboot; '", "https://h/$(reboot).deb", "https://h/`reboot`.deb", "https://h/x.deb\nreboot",
    "http://h/x.deb", "https://h/x.deb?a=b", "file:///x.deb", "https://h/x.sh",
)  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE)
def test_a_parameter_cannot_become_a_command(url: str) -> None:
    """SSM puts parameters into the script as they are, so their patterns are the only guard (in Go: $ is the end)."""
    pattern = document()["parameters"]["PackageUrl"]["allowedPattern"]

    assert not re.search(pattern.replace("$", r"\Z"), url)
    assert re.search(pattern, URL)


def test_each_parameter_is_guarded() -> None:
    """By a pattern or a list; and each stands between single quotes, which none of them allows."""
    for name, parameter in document()["parameters"].items():
        assert parameter.get("allowedPattern") or parameter.get("allowedValues"), name
    (text,) = document()["mainSteps"][0]["inputs"]["runCommand"]
    assert len(re.findall(r"\{\{", text)) == len(re.findall(r"'\{\{ \w+ \}\}'", text))


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize("script", [USER_DATA.read_text(), "#!/bin/sh\n" + of_document()], ids=["user-data", "ssm"])
def test_the_scripts_are_sound(script: str) -> None:
    """SC2157: what is tested is a constant once a parameter stands in its place."""
    command = ["shellcheck", "-s", "sh", "-e", "SC2157", "-"]

    assert subprocess.run(command, input=script, capture_output=True, text=True, check=False).stdout == ""


def test_the_document_is_plain_json_too() -> None:
    """Whatever YAML would make of a value, SSM gets texts."""
    inputs = document()["mainSteps"][0]["inputs"]

    assert isinstance(inputs["timeoutSeconds"], str)
    assert json.loads(json.dumps(document())) == document()
