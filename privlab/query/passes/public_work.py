"""How much a question may make of public rows, counted before any of it is done.

What is brought is free to ask about, so that nothing but a limit bounds its work.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from privlab.query.ask import Source, Span
from privlab.query.expr import Expr, columns_read
from privlab.query.kinds import parts_of
from privlab.query.relations import PublicRows

MAX_PUBLIC_ROWS = 50_000
"""Most rows of the public frames of one question; a frame that is named twice counts twice."""

MAX_PUBLIC_WORK = 500_000
"""Most parts of expressions that one question works out on public rows: some seconds."""

LETTERS = 64
"""So many letters of texts are worth as much as one row."""

FREE = "work it out in the notebook, that is free, and send the result as a column"


@dataclass
class PublicWork:
    """What one question made of public rows so far.

    span: where its refusals point.  names: the frames that it reads.
    """

    source: Source
    span: Span
    rows: int = 0
    parts: int = 0
    names: set[str] = field(default_factory=set)

    def read(self, name: str, rows: PublicRows, span: Span) -> None:
        """Count one use of a frame.

        :raises BadQuery: PL113, more than 50,000 rows.
        """
        self.names.add(name)
        self.rows += len(rows.rows)
        if self.rows > MAX_PUBLIC_ROWS:
            raise self.source.refuse(
                "PL113",
                f"this question reads {self.rows:,} public rows together, and at most "
                f"{MAX_PUBLIC_ROWS:,} may be, each as often as its frame is named",
                span,
                "send smaller frames, or name one frame once",
            )

    def evaluate(self, rows: PublicRows, *exprs: Expr | None) -> None:
        """Count what it takes to work out ``exprs`` on every row, once.

        :raises BadQuery: PL113, more than 500,000 parts.
        """
        parts = sum(1 for expr in exprs if expr is not None for _ in parts_of(expr))
        names = columns_read(*exprs)
        places = [at for at, (name, _) in enumerate(rows.columns) if name in names]
        texts = (row[at] for row in rows.rows for at in places)
        letters = sum(len(one) for one in texts if isinstance(one, str))
        self.parts += parts * (len(rows.rows) + letters // LETTERS)
        if self.parts > MAX_PUBLIC_WORK:
            raise self.source.refuse(
                "PL113",
                f"the expressions over public rows come to {self.parts:,} parts, rows times parts, "
                f"and at most {MAX_PUBLIC_WORK:,} may be worked out",
                self.span,
                FREE,
            )
