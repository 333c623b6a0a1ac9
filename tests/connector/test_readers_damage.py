"""What was changed after it was signed is never read, by either reader.

What the manifest tells of a part is in ``test_parts.py``: an exact code, before a charge.
Here is what it cannot tell: the size and the footer are the signed ones, and something
between them is not.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import polars as pl
import pytest

from privlab.connector.arrow import decoded
from privlab.connector.decrypt import open_part
from privlab.connector.modules import Damaged, Encrypted, Module, Spot
from privlab.connector.parts import footer_length
from privlab.connector.reader import Reader
from privlab.errors import EngineFailed, IntegrityError
from tests.connector.encrypted import (
    AAD,
    FOOTER_KEY,
    REFUSED,
    SCHEMA,
    awkward,
    facts_of,
    keys_of,
    modules,
    opened,
    written,
)

READERS = list(Reader)
PAIR = ["number", "unit"]


def two_columns(rows: int = 2000) -> bytes:
    """Two row groups of two columns that have several pages each."""
    return written(awkward(rows).select(PAIR), row_group_size=rows // 2, data_page_size=2048)


def other_file() -> bytes:
    """Written under the same keys, for the same place, of other rows."""
    return written(awkward(2000).select(PAIR).reverse(), row_group_size=1000, data_page_size=2048)


def same_pages(one: bytes, other: bytes) -> list[int]:
    """Modules that have the same length in both files."""
    pairs = zip(modules(one), modules(other), strict=False)
    return [at for at, (a, b) in enumerate(pairs) if a[1] - a[0] == b[1] - b[0]]


def flipped(raw: bytes, at: int, bit: int = 0) -> bytes:
    changed = bytearray(raw)
    changed[at] ^= 1 << bit
    return bytes(changed)


def moved(raw: bytes, source: bytes, to: tuple[int, int], of: tuple[int, int]) -> bytes:
    """``raw`` with the bytes ``of`` of ``source`` at ``to``; what they displace closes up."""
    changed = raw[: to[0]] + source[of[0] : of[1]] + raw[to[1] :]
    end = len(changed) - footer_length(raw[-8:])
    gap = len(raw) - len(changed)
    return (
        changed[:end] + bytes(gap) + changed[end:]
        if gap >= 0
        else changed[: end + gap] + changed[end:]
    )


def flip_in_a_page(raw: bytes) -> bytes:
    begin, end = modules(raw)[3]
    return flipped(raw, (begin + end) // 2)


def flip_in_a_page_header(raw: bytes) -> bytes:
    begin, _ = modules(raw)[2]
    return flipped(raw, begin + 4 + 12 + 1)


def flip_in_a_nonce(raw: bytes) -> bytes:
    return flipped(raw, modules(raw)[3][0] + 4)


def flip_in_a_tag(raw: bytes) -> bytes:
    return flipped(raw, modules(raw)[3][1] - 1)


def flip_in_a_length(raw: bytes) -> bytes:
    """Of a header; see `check_flips` for those of pages."""
    return flipped(raw, modules(raw)[2][0])


def a_length_without_end(raw: bytes) -> bytes:
    begin = modules(raw)[2][0]
    return raw[:begin] + b"\xff\xff\xff\xff" + raw[begin + 4 :]


def a_length_of_nothing(raw: bytes) -> bytes:
    begin = modules(raw)[2][0]
    return raw[:begin] + bytes(4) + raw[begin + 4 :]


def cut_from_the_middle(raw: bytes) -> bytes:
    """A hundred bytes are gone, and the file is as long as it was."""
    begin, _ = modules(raw)[4]
    return moved(raw, raw, (begin, begin + 100), (0, 0))


def pages_from_another_file(raw: bytes) -> bytes:
    other = other_file()
    for at in same_pages(raw, other):
        (begin, end), (start, stop) = modules(raw)[at], modules(other)[at]
        raw = raw[:begin] + other[start:stop] + raw[end:]
    return raw


def two_pages_of_a_column_exchanged(raw: bytes) -> bytes:
    """Headers and pages together: as a reader without ordinals would like them."""
    (a, _), (_, b), (c, _), (_, d) = (modules(raw)[at] for at in (0, 1, 2, 3))
    assert b == c
    return raw[:a] + raw[c:d] + raw[a:b] + raw[d:]


def a_page_twice(raw: bytes) -> bytes:
    (a, _), (_, b), (c, _), (_, d) = (modules(raw)[at] for at in (0, 1, 2, 3))
    return moved(raw, raw, (c, d), (a, b))


def row_groups_exchanged(raw: bytes) -> bytes:
    half = len(modules(raw)) // 2
    (a, _), (_, b) = modules(raw)[0], modules(raw)[half - 1]
    (c, _), (_, d) = modules(raw)[half], modules(raw)[-1]
    return moved(moved(raw, raw, (c, d), (a, b)), raw, (a, b), (c, d))


def columns_exchanged(raw: bytes) -> bytes:
    quarter = len(modules(raw)) // 4
    (a, _), (_, b) = modules(raw)[0], modules(raw)[quarter - 1]
    (c, _), (_, d) = modules(raw)[quarter], modules(raw)[2 * quarter - 1]
    return raw[:a] + raw[c:d] + raw[a:b] + raw[d:]


CHANGES: list[Callable[[bytes], bytes]] = [
    flip_in_a_page,
    flip_in_a_page_header,
    flip_in_a_nonce,
    flip_in_a_tag,
    flip_in_a_length,
    a_length_without_end,
    a_length_of_nothing,
    cut_from_the_middle,
    pages_from_another_file,
    two_pages_of_a_column_exchanged,
    a_page_twice,
    row_groups_exchanged,
    columns_exchanged,
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_changed_page_is_never_read(
    change: Callable[[bytes], bytes], reader: Reader, capfd: pytest.CaptureFixture[str]
) -> None:
    raw = two_columns()
    changed = change(raw)
    assert changed != raw
    assert facts_of(changed) == facts_of(raw), "the manifest would tell"
    with pytest.raises(REFUSED):
        opened(changed, reader, keys_of(PAIR))
    capfd.readouterr()  # Polars' panic; an engine child has no standard error


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_the_second_reader_has_one_word_for_all_damage(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(EngineFailed) as caught:
        opened(change(two_columns()), Reader.ARROW, keys_of(PAIR))
    assert str(caught.value) == str(EngineFailed())
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def every_bit(raw: bytes, step: int) -> list[int]:
    """Positions of bits from the first header to the end of the last page."""
    return list(range(4 * 8, modules(raw)[-1][1] * 8, step))


def check_flips(step: int) -> None:
    """The length before a page is said twice, and the native reader reads only the other.

    Such a bit changes nothing for it: what it reads is what was written.
    """
    frame = awkward(8).select("number", "ward")
    raw = written(frame)
    keys = keys_of(["number", "ward"])
    idle = {bit for begin, _ in modules(raw)[1::2] for bit in range(begin * 8, (begin + 4) * 8)}
    for at in every_bit(raw, step):
        changed = flipped(raw, at // 8, at % 8)
        with pytest.raises(REFUSED):
            opened(changed, Reader.ARROW, keys)
        if at in idle:
            assert opened(changed, Reader.NATIVE, keys).equals(frame)
        else:
            with pytest.raises(REFUSED):
                opened(changed, Reader.NATIVE, keys)


def test_no_flipped_bit_of_a_sample_is_read(capfd: pytest.CaptureFixture[str]) -> None:
    check_flips(41)
    capfd.readouterr()


@pytest.mark.slow
def test_no_flipped_bit_at_all_is_read(capfd: pytest.CaptureFixture[str]) -> None:
    check_flips(1)
    capfd.readouterr()


def check_footer_flips(step: int) -> None:
    raw = written(awkward(8).select("number", "ward"))
    begin = len(raw) - footer_length(raw[-8:])
    for at in range(begin * 8, len(raw) * 8, step):
        changed = flipped(raw, at // 8, at % 8)
        with pytest.raises(IntegrityError):
            opened(changed, Reader.ARROW, keys_of(["number"]), facts=facts_of(raw))
        with pytest.raises(EngineFailed):
            decoded(changed, AAD, FOOTER_KEY, {"number": keys_of(["number"])["number"]})


def test_no_flipped_bit_of_a_sample_of_the_footer_is_read() -> None:
    """The manifest tells; and were it not asked, the second reader would refuse all the same."""
    check_footer_flips(7)


@pytest.mark.slow
def test_no_flipped_bit_of_the_footer_is_read() -> None:
    check_footer_flips(1)


@pytest.mark.parametrize("reader", READERS)
def test_a_cut_file_is_refused_by_its_size(reader: Reader) -> None:
    raw = two_columns()
    for changed in (raw[:-100], raw[:200] + raw[300:], b"", raw[:3]):
        with pytest.raises(IntegrityError) as caught:
            opened(changed, reader, keys_of(PAIR), facts=facts_of(raw))
        assert caught.value.code == "PL402"


@pytest.mark.parametrize("reader", READERS)
def test_another_file_of_the_same_keys_is_refused(reader: Reader) -> None:
    """By its footer's digest; and by the additional text, were its digest signed."""
    raw = two_columns()
    other = written(awkward(2000).select(PAIR), aad=AAD[:-1] + b"1", row_group_size=1000)
    with pytest.raises(IntegrityError) as caught:
        opened(other, reader, keys_of(PAIR), facts=facts_of(raw))
    assert caught.value.code == "PL402"
    with pytest.raises(REFUSED):
        opened(other, reader, keys_of(PAIR))


@pytest.mark.parametrize("reader", READERS)
def test_a_plain_file_is_refused(reader: Reader) -> None:
    """The native reader alone would take it."""
    out = io.BytesIO()
    awkward(100).select(PAIR).write_parquet(out)
    raw = two_columns()
    with pytest.raises(IntegrityError) as caught:
        opened(out.getvalue(), reader, keys_of(PAIR), facts=facts_of(raw))
    assert caught.value.code == "PL403"


def test_the_second_reader_takes_no_plain_file_whoever_asks() -> None:
    out = io.BytesIO()
    awkward(100).select(PAIR).write_parquet(out)
    keys = keys_of(PAIR)
    del keys[""]
    with pytest.raises(EngineFailed):
        decoded(out.getvalue(), AAD, FOOTER_KEY, keys)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("wrong", ["", "number", "unit"])
def test_a_wrong_key_reads_nothing(wrong: str, reader: Reader) -> None:
    keys = {**keys_of(PAIR), wrong: b"\x77" * 32}
    with pytest.raises(REFUSED):
        opened(two_columns(), reader, keys)


@pytest.mark.parametrize("reader", READERS)
def test_the_keys_of_two_columns_are_not_exchanged(reader: Reader) -> None:
    keys = keys_of(PAIR)
    keys["number"], keys["unit"] = keys["unit"], keys["number"]
    with pytest.raises(REFUSED):
        opened(two_columns(), reader, keys)


@pytest.mark.parametrize("reader", READERS)
def test_a_key_of_no_column_reads_nothing(reader: Reader) -> None:
    with pytest.raises(REFUSED):
        opened(two_columns(), reader, {**keys_of(PAIR), "elsewhere": b"\x01" * 32})


@pytest.mark.parametrize("reader", READERS)
def test_a_column_without_its_key_is_not_read(reader: Reader) -> None:
    raw = two_columns()
    scan = open_part(facts_of(raw), raw, AAD, keys_of(["unit"]), reader)
    with pytest.raises(REFUSED):
        scan.select("number").collect()


def test_what_is_damaged_is_named_for_the_owner() -> None:
    """Which column, row group and page; never a value."""
    raw = two_columns()
    file = Encrypted.open(raw, AAD, FOOTER_KEY)
    keys = keys_of(PAIR)
    spots: list[Spot] = []
    for group in (0, 1):
        for column, name in enumerate(PAIR):
            ordinal = 0
            for page in file.chunk(group, name, keys[name]).pages:
                if page.is_dictionary:
                    kinds, at = (Module.DICTIONARY_HEADER, Module.DICTIONARY_PAGE), -1
                else:
                    kinds, at = (Module.DATA_HEADER, Module.DATA_PAGE), ordinal
                    ordinal += 1
                spots += [Spot(kind, group, column, at) for kind in kinds]
    for (_, end), spot in zip(modules(raw), spots, strict=True):
        name = PAIR[spot.column]
        changed = Encrypted.open(flipped(raw, end - 1), AAD, FOOTER_KEY)
        with pytest.raises(Damaged) as caught:
            changed.chunk(spot.group, name, keys[name])
        assert (caught.value.spot, caught.value.column) == (spot, name)
    assert str(Spot(Module.DATA_PAGE, 1, 0, 2)) == "page 3 in row group 2"
    with pytest.raises(Damaged) as caught:
        Encrypted.open(raw, AAD, b"\x00" * 32)
    assert caught.value.column == ""
    assert str(caught.value.spot) == "the footer"


def test_pages_that_are_left_out_are_missed() -> None:
    """A description under its key that says fewer pages than the rows need is damage.

    Nobody without the column's key can write one; a writer's fault could.
    """
    raw = two_columns()
    file = Encrypted.open(raw, AAD, FOOTER_KEY)
    key = keys_of(PAIR)["number"]
    good = file.chunk(0, "number", key)
    assert sum(1 for _ in good.pages) > 1
    fewer = Encrypted(
        file.footer,
        file.columns,
        (file.rows[0] + 1, file.rows[1]),
        file._data,
        file._aad,
        file._pages_end,
    )
    with pytest.raises(Damaged):
        fewer.chunk(0, "number", key)


def test_the_sample_of_frames_has_pages_enough() -> None:
    """Every change above finds the modules it speaks of."""
    raw = two_columns()
    assert len(modules(raw)) >= 16
    assert len(modules(raw)) % 4 == 0
    assert same_pages(raw, other_file())
    assert isinstance(opened(raw, Reader.ARROW, keys_of(PAIR)), pl.DataFrame)
    assert set(PAIR) < set(SCHEMA)


def test_a_short_file_makes_polars_panic_and_the_second_reader_not(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Were its size signed.  In an engine child nobody sees what is printed here."""
    raw = written(awkward(2000).select("number"), data_page_size=2048)
    short = raw[:40] + raw[-footer_length(raw[-8:]) :]
    with pytest.raises(pl.exceptions.PanicException):
        opened(short, Reader.NATIVE, keys_of(["number"]))
    assert "panicked" in capfd.readouterr().err
    with pytest.raises(EngineFailed):
        opened(short, Reader.ARROW, keys_of(["number"]))
    assert capfd.readouterr() == ("", "")
