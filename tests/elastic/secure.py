"""A node with TLS, users and rights: certificates of an authority made for the test.

In:  nothing. Out: configuration files and settings of a secured node, the authority's certificate.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORDS = {
    "keqing_writer": "writer-secret",
    "keqing_reader": "reader-secret",
    "keqing_public": "public-secret",
}
OPERATOR = ("operator", "operator-secret")  # who installs: the server's own role `superuser`
# What docs/deploy.md tells to create is what the tests run with; a node's file wants block YAML.
FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "elasticsearch" / "roles"
ROLES = yaml.safe_dump(
    {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
)
SETTINGS: dict[str, object] = {
    "xpack.security.enabled": "true",
    "xpack.security.authc.password_hashing.algorithm": "pbkdf2_1000",
    **{
        f"xpack.security.{part}.ssl.{key}": value
        for part in ("http", "transport")
        for key, value in {"enabled": "true", "key": "node.key", "certificate": "node.crt",
                           "certificate_authorities": "ca.crt"}.items()
    },
}  # fmt: skip


def files() -> dict[str, bytes]:
    """Certificates, users and roles, by file name in the configuration folder."""
    ca_key, ca = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = _builder("node", ca.subject, key).add_extension(address, critical=False)
    given = [*PASSWORDS.items(), OPERATOR]
    users = "".join(f"{name}:{_hashed(secret)}\n" for name, secret in given)
    roles = {name: name for name in PASSWORDS} | {"superuser": OPERATOR[0]}
    return {
        "ca.crt": _pem(ca),
        "node.crt": _pem(certificate.sign(ca_key, hashes.SHA256())),
        "node.key": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        "users": users.encode(),
        "users_roles": "".join(f"{role}:{name}\n" for role, name in roles.items()).encode(),
        "roles.yml": ROLES.encode(),
    }


def authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A new certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keqing test authority")])
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    builder = _builder("keqing test authority", name, key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return key, builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())


def stranger() -> bytes:
    """The certificate of an authority that signed nothing here."""
    return _pem(authority()[1])


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _hashed(password: str) -> str:
    """As the server writes it: {PBKDF2}rounds$salt$hash, SHA-512, 32 bytes each."""
    salt = os.urandom(32)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 1000, 32)
    return "{PBKDF2}1000$" + "$".join(base64.b64encode(part).decode() for part in (salt, key))
