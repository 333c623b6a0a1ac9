"""All of it, in the order that works, with a record of what took effect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from privlab.sandbox import landlock, limits, seccomp


@dataclass(frozen=True, slots=True)
class Applied:
    """What holds now.  landlock: ABI, 0 for none; seccomp: denied calls, 0 for none."""

    closed: bool
    no_new_privileges: bool
    no_new_code: bool
    landlock: int
    seccomp: int

    @property
    def complete(self) -> bool:
        """Whether every layer holds."""
        return bool(
            self.closed
            and self.no_new_privileges
            and self.no_new_code
            and self.landlock
            and self.seccomp
        )


def confine(readable: Iterable[Path], writable: Iterable[Path] = ()) -> Applied:
    """Read beneath ``readable`` only; no network, no programs, no new code.

    writable: folders in which files may be made and written.

    For a process that has no other threads yet.  Cannot be undone.

    :raises OSError: the kernel has Landlock but refused it.
    """
    closed = limits.close_to_others()
    privileges = limits.no_new_privileges()
    level = landlock.restrict(readable, writable) if privileges else 0
    code = limits.no_new_code()
    denied = seccomp.deny() if privileges else 0
    return Applied(closed, privileges, code, level, denied)
