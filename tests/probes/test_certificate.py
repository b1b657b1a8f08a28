"""Who signed a certificate, as openssl says it."""

from __future__ import annotations

import ssl
from pathlib import Path

from agentdoctor.probes._certificate import issuer

from .conftest import cases
from .servers import Authority

SUBJECTS = [
    ("organisation and name", "/C=US/O=Amazon/CN=Amazon RSA 2048 M02"),
    ("in another order", "/CN=Root/O=Example Ltd/C=DE"),
    ("only a name", "/CN=proxy.corp.example"),
    ("only an organisation", "/O=Example Ltd"),
    ("beyond ASCII", "/O=Größe GmbH/CN=x"),
    ("long", f"/O={'o' * 64}/CN={'c' * 64}/L={'l' * 120}"),
]


@cases(SUBJECTS)
def test_issuer_is_as_openssl_says(tmp_path: Path, subject: str) -> None:
    by = Authority(tmp_path)
    by.found("root", subject)
    told = by.openssl(*"x509 -in root.crt -noout -issuer -nameopt sep_multiline,lname,utf8,-esc_msb".split())
    names = dict(line.strip().split("=", 1) for line in told.splitlines()[1:])
    der = ssl.PEM_cert_to_DER_cert((tmp_path / "root.crt").read_text())
    assert issuer(der) == (names.get("organizationName") or names["commonName"])


def test_issuer_without_a_name(tmp_path: Path) -> None:
    Authority(tmp_path).found("root", "/C=DE/L=Here")
    assert issuer(ssl.PEM_cert_to_DER_cert((tmp_path / "root.crt").read_text())) is None


def test_issuer_of_anything(tmp_path: Path) -> None:
    """Cut off anywhere, or with any byte changed: a text or None, never an error."""
    der = ssl.PEM_cert_to_DER_cert(Authority(tmp_path).found("root", "/O=Test Authority/CN=Root").read_text())
    for end in range(len(der)):
        assert issuer(der[:end]) is None
    for place in range(len(der)):
        for byte in (0, 1, 0x7F, 0x80, 0xFF):
            found = issuer(der[:place] + bytes([byte]) + der[place + 1 :])
            assert found is None or len(found) <= 100
