"""The one line that says what is going on, and is gone when it is over."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import DisplayHandle, clear_output, display

from privlab.wire.messages import Phase


class PhaseLine:
    """Shows each phase in place of the one before; the next output replaces it.

    A terminal cannot change what it printed, so nothing is shown there.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._can_update = hasattr(shell, "kernel")
        self._handle: DisplayHandle | None = None
        self.last = "starting"

    def __call__(self, phase: Phase) -> None:
        self.say(phase.words)

    def say(self, words: str) -> None:
        """Show ``words`` with an ellipsis, and remember them."""
        self.last = words.rstrip("…")
        if not self._can_update:
            return
        bundle: dict[str, Any] = {"text/plain": f"{self.last}…"}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            clear_output(wait=True)
