"""Which names can be seen at one step of a question, and what they stand for.

A derived table, a CTE, ``with_columns``, ``rename`` and ``select`` before the
groups give new names to row expressions; a name is replaced by its expression
where it is used, so that what follows knows one table alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from privlab.query.ask import Name, Node, Span


@dataclass(frozen=True, slots=True)
class Projection:
    """made: the names that steps gave.  open: the table's own columns are seen too.

    gone: columns of the table that are seen no more, or under another name only.
    """

    made: Mapping[str, Node] = field(default_factory=dict)
    open: bool = True
    gone: frozenset[str] = frozenset()

    def find(self, name: str, span: Span) -> Node:
        """What ``name`` stands for; one that is not seen is marked hidden."""
        if name in self.made:
            return self.made[name]
        return Name(name, span, hidden=not self.open or name in self.gone)

    def also(self, made: Mapping[str, Node]) -> Projection:
        """With more names; a name that was there means something new."""
        return Projection({**self.made, **made}, self.open, self.gone - set(made))

    def only(self, made: Mapping[str, Node]) -> Projection:
        """With these names and no others."""
        return Projection(dict(made), open=False)

    def without(self, names: Iterable[str]) -> Projection:
        """Without these names."""
        left = set(names)
        kept = {name: node for name, node in self.made.items() if name not in left}
        return Projection(kept, self.open, self.gone | left)
