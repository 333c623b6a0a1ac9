"""Of several dictionaries the first that speaks of a matter is heard."""

from __future__ import annotations

from privlab.connector.dictionaries.stated import Said, Sheet, Stated, merged
from privlab.terms.catalog import Kind


def test_statements_add_up_and_the_first_of_a_matter_stands() -> None:
    first = Sheet({"a": Stated(kind=Said(Kind.INT, "1"), notes=("x",))}, notes=("one",))
    second = Sheet(
        {
            "a": Stated(
                kind=Said(Kind.TEXT, "2"), about=Said("of a", "2"), person=True, notes=("y",)
            ),
            "gone": Stated(about=Said("of nothing", "2")),
        },
        null_values=Said(("NA",), "2"),
        unit=Said("a", "2"),
        unit_word="person",
        notes=("two",),
    )

    both = merged((first, second), ["a", "b"])

    assert both.column("a") == Stated(
        kind=Said(Kind.INT, "1"), about=Said("of a", "2"), person=True, notes=("x", "y")
    )
    assert both.column("b") == both.column("gone") == Stated()
    assert (both.unit, both.unit_word, both.notes) == (Said("a", "2"), "person", ("one", "two"))
    assert both.null_values == Said(("NA",), "2")
