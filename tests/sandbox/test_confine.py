"""All layers at once, as an engine child has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privlab.sandbox import calls, landlock
from privlab.sandbox.confine import Applied


@pytest.mark.skipif(not calls.IS_LINUX, reason="Linux only")
def test_confinement_says_what_took_effect_and_it_did(
    attack: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("mine")

    found = attack(
        """
        import os, socket
        from dataclasses import asdict
        from pathlib import Path
        from privlab.sandbox.confine import confine
        applied = confine([Path(sys.argv[1])])
        outcomes["applied"] = asdict(applied)
        attempt("read", lambda: Path(sys.argv[1], "a").read_text())
        attempt("passwd", lambda: Path("/etc/passwd").read_text())
        attempt("shadow", lambda: Path("/etc/shadow").read_text())
        attempt("environ", lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes())
        attempt("socket", socket.socket)
        attempt("exec", lambda: os.execv("/bin/true", ["true"]))
        """,
        str(tmp_path),
    )

    applied = Applied(**found.pop("applied"))
    assert found.pop("read") == ["done", "mine"]
    assert applied.closed
    assert applied.no_new_privileges
    assert applied.landlock == landlock.abi()
    if applied.complete:
        assert {outcome[0] for outcome in found.values()} == {"refused"}


@pytest.mark.parametrize(
    "lacking", ["closed", "no_new_privileges", "no_new_code", "landlock", "seccomp"]
)
def test_one_missing_layer_is_not_complete(lacking: str) -> None:
    whole = {
        "closed": True,
        "no_new_privileges": True,
        "no_new_code": True,
        "landlock": 7,
        "seccomp": 60,
    }

    assert Applied(**whole).complete  # type: ignore[arg-type]
    assert not Applied(**{**whole, lacking: 0}).complete  # type: ignore[arg-type]


def test_a_refused_call_is_an_error() -> None:
    with pytest.raises(OSError, match=r"."):
        calls.prctl(-1)
