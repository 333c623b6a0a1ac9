"""A PostgreSQL server of one test module: TLS only, passwords by SCRAM, on a free port."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HBA = """\
local all all trust
hostssl all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Server:
    """url: of a user who needs ``password``; passfile: a file that has it."""

    url: str
    password: str
    passfile: Path
    admin: tuple[str, ...]

    def run(self, sql: str) -> None:
        """Statements as the server's owner, readable by everybody."""
        grants = "GRANT USAGE ON SCHEMA public TO ana; GRANT pg_read_all_data TO ana;"
        subprocess.run([*self.admin, "-c", sql, "-c", grants], check=True, capture_output=True)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server that ends with the block; skips where PostgreSQL is not installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = shutil.which("initdb") or (str(programs[-1]) if programs else "")
    if not initdb:
        pytest.skip("PostgreSQL's server is not installed")
    tools = Path(initdb).parent
    owner: list[str] = []
    if os.geteuid() == 0:  # a server refuses to be root
        user = next((u for u in ("postgres", "nobody") if _known(u)), "nobody")
        owner = [
            "setpriv",
            f"--reuid={user}",
            f"--regid={pwd.getpwnam(user).pw_gid}",
            "--clear-groups",
        ]
    home = Path(
        subprocess.run(
            ["mktemp", "-d", "/tmp/pgXXXXXX"], check=True, capture_output=True, text=True
        ).stdout.strip()
    )
    try:
        home.chmod(0o755)
        certificates(folder)
        data = home / "data"
        for name in ("server.crt", "server.key"):
            shutil.copy(folder / name, home / name)
        (home / "server.key").chmod(0o600)
        (home / "hba").write_text(HBA)
        if owner:
            for path in (home, *home.iterdir()):
                shutil.chown(path, owner[1].split("=")[1])
        quiet = {"check": True, "capture_output": True, "cwd": "/"}
        subprocess.run(
            [*owner, initdb, "-D", data, "-U", "boss", "--no-sync", "--auth=trust"], **quiet
        )
        port = _free_port()
        options = {
            "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": home,
            "ssl": "on", "ssl_cert_file": home / "server.crt", "ssl_key_file": home / "server.key",
            "hba_file": home / "hba", "fsync": "off",
        }  # fmt: skip
        stated = " ".join(f"-c {name}={value}" for name, value in options.items())
        control = [*owner, str(tools / "pg_ctl"), "-D", str(data), "-w"]
        subprocess.run(
            [*control, "-o", stated, "-l", str(home / "log"), "start"],
            check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            admin = (
                "psql",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                str(home),
                "-p",
                str(port),
                "-U",
                "boss",
                "postgres",
            )
            password = "Zephyrine 1:2"
            passfile = folder / "pass"
            passfile.write_text(
                "127.0.0.1:*:*:*:Zephyrine 1\\:2\nlocalhost:*:*:*:Zephyrine 1\\:2\n"
            )
            passfile.chmod(0o600)
            url = f"postgresql://ana@127.0.0.1:{port}/postgres?sslrootcert={folder / 'root.crt'}"
            server = Server(url, password, passfile, admin)
            server.run(f"CREATE ROLE ana LOGIN PASSWORD '{password}'; SELECT 1")
            yield server
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def certificates(folder: Path) -> None:
    """``root.crt`` signs ``server.crt``, valid for 127.0.0.1 alone; ``other.crt`` signs nothing."""
    key, root = _certificate("root", None, None)
    _, other = _certificate("other", None, None)
    server_key, server = _certificate("server", key, root)
    (folder / "root.crt").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    (folder / "other.crt").write_bytes(other.public_bytes(serialization.Encoding.PEM))
    (folder / "server.crt").write_bytes(server.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _certificate(
    name: str, signer: ec.EllipticCurvePrivateKey | None, issuer: x509.Certificate | None
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        made = made.add_extension(names, critical=False)
    return key, made.sign(signer or key, hashes.SHA256())


def _known(user: str) -> bool:
    try:
        return bool(pwd.getpwnam(user))
    except KeyError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
