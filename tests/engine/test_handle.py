"""The engine as a process: right numbers, uniform failure, and nobody else's cache."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from privlab.connector.parts import footer_length
from privlab.connector.reader import Reader
from privlab.engine.handle import Engine
from privlab.engine.job import Job
from privlab.engine.reference import bounded_sums
from privlab.errors import BadContract, EngineFailed
from privlab.query.plan import Call, Key, Literal, Measure, MeasureKind, Op, Ref
from privlab.terms.catalog import Kind

WARD, AGE = Ref("ward", Kind.TEXT), Ref("age", Kind.INT)
COUNT = Measure(MeasureKind.ROWS)


def grouped(place: Any) -> Job:
    plan = place.plan(
        COUNT, Measure(MeasureKind.UNITS), keys=(Key(WARD, Kind.TEXT, ("north", "south", "west")),)
    )
    job: Job = place.job(plan)
    return job


def test_a_run_gives_the_exact_sums_plus_its_noise(engine: Engine, place: Any) -> None:
    """With noise that rounds to nothing, the answer is the reference's."""
    job = grouped(place)

    found = engine.run(job)

    assert found.labels is None
    assert [list(v) for v in found.vectors] == bounded_sums(job.plan, place.rows, job.bounding_key)


def test_runs_at_the_same_time_do_not_mix(engine: Engine, place: Any) -> None:
    one, two = grouped(place), place.job(place.plan(COUNT))
    expected = {id(one): engine.run(one), id(two): engine.run(two)}
    wrong: list[object] = []

    def ask(job: Job) -> None:
        for _ in range(3):
            if engine.run(job) != expected[id(job)]:
                wrong.append(job)

    threads = [threading.Thread(target=ask, args=(job,)) for job in (one, two, one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def flip_a_page(job: Job) -> Job:
    path = Path(job.tables[0].folder) / job.tables[0].parts[0].facts.units.name
    raw = bytearray(path.read_bytes())
    raw[60] ^= 1
    path.write_bytes(bytes(raw))
    return job


def cut_from_the_middle(job: Job) -> Job:
    path = Path(job.tables[0].folder) / job.tables[0].parts[0].facts.units.name
    raw = path.read_bytes()
    path.write_bytes(raw[:300] + raw[400:] + bytes(0))
    return job


def panic(job: Job) -> Job:
    """A short file that is signed as it is: Polars panics and prints (``test_readers_damage.py``)."""
    (table,) = job.tables
    part, *others = table.parts
    path = Path(table.folder) / part.facts.units.name
    raw = path.read_bytes()
    raw = raw[:40] + raw[-footer_length(raw[-8:]) :]
    path.write_bytes(raw)
    units = replace(part.facts.units, size=len(raw))
    parts = (replace(part, facts=replace(part.facts, units=units)), *others)
    return replace(job, tables=(replace(table, parts=parts),))


def lose_a_part(job: Job) -> Job:
    (Path(job.tables[0].folder) / job.tables[0].parts[0].facts.units.name).unlink()
    return job


def wrong_key(job: Job) -> Job:
    (table,) = job.tables
    parts = tuple(replace(one, keys={**one.keys, "ward": b"x" * 32}) for one in table.parts)
    return replace(job, tables=(replace(table, parts=parts),))


def ill_typed(job: Job) -> Job:
    return replace(job, plan=replace(job.plan, where=Call(Op.EQ, (WARD, Literal(1)))))


CAUSES = [flip_a_page, cut_from_the_middle, panic, lose_a_part, wrong_key, ill_typed]


def read_by(job: Job, reader: Reader) -> Job:
    return replace(job, tables=tuple(replace(one, reader=reader) for one in job.tables))


@pytest.mark.parametrize("reader", Reader)
@pytest.mark.parametrize("cause", CAUSES, ids=[cause.__name__ for cause in CAUSES])
def test_whatever_goes_wrong_the_words_are_the_same(
    engine: Engine,
    fresh: Any,
    cause: Callable[[Job], Job],
    reader: Reader,
    capfd: pytest.CaptureFixture[str],
) -> None:
    job = cause(read_by(grouped(fresh), reader))

    with pytest.raises(EngineFailed) as caught:
        engine.run(job)

    assert str(caught.value) == str(EngineFailed())
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert capfd.readouterr() == ("", "")


def test_a_failed_run_does_not_harm_the_next(engine: Engine, place: Any) -> None:
    job = grouped(place)
    with pytest.raises(EngineFailed):
        engine.run(wrong_key(job))

    assert len(engine.run(job).vectors) == 2


def test_a_run_that_takes_too_long_fails(place: Any, tmp_path: Path) -> None:
    """A stand-in for the zygote's program that says ready and then never answers."""
    silent = program(
        tmp_path, "control.send(b'ready'); held = socket.recv_fds(control, 16, 1); control.recv(1)"
    )
    engine = Engine(str(silent), cache=tmp_path / "cache", seconds=1)
    engine.start()
    began = time.monotonic()
    try:
        with pytest.raises(EngineFailed) as caught:
            engine.run(grouped(place))
        assert str(caught.value) == str(EngineFailed())
        assert time.monotonic() - began < 10
    finally:
        engine.stop()


def program(folder: Path, script: str) -> Path:
    """An executable that the handle starts in place of Python."""
    path = folder / "program"
    path.write_text(
        f"#!{sys.executable}\nimport json, os, socket, time\n"
        f"control = socket.socket(fileno=os.dup(0))\n{script}\n"
    )
    path.chmod(0o700)
    return path


@pytest.mark.parametrize(
    "answer",
    ["[[1, 2, 3]]", "[[1, 2], [1, 2]]", "[[1, 2, 3.5], [1, 2, 3]]", "[[1, 2, true], [1, 2, 3]]",
     "[[1, 2, 9223372036854775808], [1, 2, 3]]", "{}", "nonsense"],
)  # fmt: skip
def test_an_answer_of_another_shape_is_a_failure(place: Any, tmp_path: Path, answer: str) -> None:
    """The curator releases nothing it did not ask for."""
    lying = program(
        tmp_path,
        "control.send(b'ready')\n"
        "_, fds, _, _ = socket.recv_fds(control, 16, 1)\n"
        f"raw = {answer!r}.encode()\n"
        "os.write(fds[0], len(raw).to_bytes(4, 'big') + raw); time.sleep(1)",
    )
    engine = Engine(str(lying), cache=tmp_path / "cache", seconds=5)
    try:
        with pytest.raises(EngineFailed):
            engine.run(grouped(place))
    finally:
        engine.stop()


@pytest.mark.parametrize("script", ["", "control.send(b'hello')", "raise SystemExit(3)"])
def test_a_zygote_that_is_not_ready_is_a_failure(tmp_path: Path, script: str) -> None:
    engine = Engine(str(program(tmp_path, script)), cache=tmp_path / "cache")

    with pytest.raises(EngineFailed):
        engine.start()


def test_a_python_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed):
        Engine(str(tmp_path / "absent"), cache=tmp_path / "cache").start()


def test_a_zygote_that_died_is_started_again(place: Any, cache: Path) -> None:
    engine = Engine(cache=cache)
    engine.start()
    job = grouped(place)
    first = engine.run(job)
    assert engine._process is not None
    died = engine._process.pid
    os.kill(died, signal.SIGKILL)
    engine._process.wait()
    try:
        assert engine.run(job) == first
        assert engine._process.pid != died
    finally:
        engine.stop()


def test_stopping_ends_the_process_and_a_run_starts_it_again(place: Any, engine: Engine) -> None:
    assert engine._process is not None
    process = engine._process
    engine.stop()

    assert process.returncode == 0
    assert len(engine.run(grouped(place)).vectors) == 2


def test_a_cache_that_others_can_write_is_refused(tmp_path: Path) -> None:
    """Compiled code is loaded from it."""
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").write_text("")
    for name in ("open", "link"):
        with pytest.raises(BadContract) as caught:
            Engine(cache=tmp_path / name).start()
        assert caught.value.code == "PL152"


def test_the_engine_inherits_no_environment(
    place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVLAB_SECRET", "canary")
    monkeypatch.setenv("LD_PRELOAD", "/nowhere.so")
    told = program(
        tmp_path,
        "open(os.path.dirname(os.path.abspath(__file__)) + '/env', 'w').write(json.dumps(dict(os.environ)))\n"
        "control.send(b'ready'); control.recv(1)",
    )
    monkeypatch.delenv("LD_PRELOAD")
    engine = Engine(str(told), cache=tmp_path / "cache")
    engine.start()
    engine.stop()

    text = (tmp_path / "env").read_text()
    assert "canary" not in text
    assert "PYTHON" not in text
    assert str(tmp_path / "cache") in text
