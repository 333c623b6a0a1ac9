"""A practice answer: drawn and handled like a release, and none.

Its rows were invented from a contract.  It has no bundle and no signature, so
nobody can verify it, and what would hand it on as a release is refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from privlab.client import show
from privlab.client.frames import Release
from privlab.errors import BadQuery
from privlab.wire.messages import PRACTICE, Explanation, Practised

if TYPE_CHECKING:
    import altair


class Practice(Release):
    """An answer about invented rows, so that the cells below it can be written.

    explanation: what the real question would cost and how close it would come.
    ``bundle`` is "", ``facts`` is empty and ``receipt`` is None.
    """

    def __init__(self, result: dict[str, Any], explanation: Explanation) -> None:
        super().__init__("", result, {}, None)
        self.explanation = explanation

    @classmethod
    def told(cls, practised: Practised) -> Practice:
        """The answer as the curator told it; there is no signature to check."""
        return cls(json.loads(practised.result), practised.explanation)

    def save(self, path: str | Path) -> NoReturn:
        """Refused: only a release can be saved.

        :raises BadQuery: PL112.
        """
        _refuse("saved")

    def share(self, *args: object, **options: object) -> NoReturn:
        """Refused: only a release can be shared.

        :raises BadQuery: PL112.
        """
        _refuse("shared")

    def to_csv(self, path: str | Path | None = None) -> str:
        """`frame` as CSV text below a line that says what it is, ``# practice: ...``."""
        text = f"# {PRACTICE}\n{super().to_csv()}"
        if path is not None:
            Path(path).write_text(text, "utf-8")
        return text

    def plot(self) -> altair.TopLevelMixin:
        """As of a release, titled as practice.

        :raises BadQuery: PL112, there is no key or no estimate to draw.
        """
        chart: Any = super().plot()
        titled: altair.TopLevelMixin = chart.properties(title=PRACTICE)
        return titled

    def __repr__(self) -> str:
        return show.table_text(show.practice_table(self.result, self.explanation))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Never the type of a release: a notebook of practice holds nothing to verify."""
        table = show.practice_table(self.result, self.explanation)
        return {"text/html": show.table_html(table), "text/plain": show.table_text(table)}


def _refuse(what: str) -> NoReturn:
    raise BadQuery(
        f"a practice answer cannot be {what}: its rows are invented and nothing is signed",
        code="PL112",
        hint="ask again without practice",
    )
