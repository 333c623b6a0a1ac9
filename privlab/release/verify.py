"""Is this release what the curator signed?  Offline, and small enough to read.

Needs the standard library and ``cryptography``, no other part of privlab but
the signatures and the error.  As a program::

    python -m privlab.release.verify FILE --key privlab-ed25519:...

It checks the signed text.  A notebook also holds drawn copies of a result,
HTML and plain text, which anyone may edit: read the numbers it prints.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist
from typing import Any, NoReturn

from privlab.errors import IntegrityError, PrivlabError
from privlab.seal import dsse
from privlab.seal.keys import PublicKey

MEDIA_TYPE = "application/vnd.privlab.release.v1+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:privlab:release:v1"
RESULT_NAME = "result.json"
MAX_CHARACTERS = 64 * 1024 * 1024

GAUSSIAN = "rounded Gaussian of variance 8 * (multiplier / 2^shift)^2"
DISCRETE_LAPLACE = "discrete Laplace of scale multiplier / 2^shift"
ROUNDED_LAPLACE = "rounded Laplace of scale multiplier / 2^shift"
CHOICE = "exponential mechanism of epsilon multiplier / 2^shift in each group"
FLIP = "permute-and-flip of epsilon multiplier / 2^shift in each group"
"""A measure's mechanism, in the words of a statement."""


THRESHOLDED = "not public: a group is shown when its noisy count of units reaches a threshold"
"""What a statement says of group keys that are not "public"."""


@dataclass(frozen=True, slots=True)
class VerifiedRelease:
    """A release whose signature holds.

    facts: the statement's predicate.  result: the table; numbers are texts.
    warnings: why these numbers may not be what they seem, to be shown first.
    """

    facts: dict[str, Any]
    result: dict[str, Any]
    warnings: tuple[str, ...]


def verify(bundle_text: str, key: PublicKey) -> VerifiedRelease:
    """Return what the bundle holds, when ``key`` signed it.

    :raises IntegrityError: PL407, with the check that failed.
    """
    bundle = _object(bundle_text, "the bundle")
    match bundle:
        case {"mediaType": str(media), "envelope": dict(envelope), "result": str(result)} if (
            media == MEDIA_TYPE and len(bundle) == 3
        ):
            pass
        case _:
            _fail("this is not a release bundle of version 1")
    try:
        payload = dsse.verify(envelope, PAYLOAD_TYPE, key).decode("utf-8")
        found = hashlib.sha256(result.encode("utf-8")).hexdigest()
    except IntegrityError:
        _fail("the signature is not of this key, or what it signs was changed")
    except UnicodeError:
        _fail("the bundle holds text that is not Unicode")
    match _object(payload, "the statement"):
        case {
            "_type": str(kind),
            "predicateType": str(predicate),
            "subject": [{"digest": {"sha256": str(signed)}}],
            "predicate": dict(facts),
        } if kind == STATEMENT_TYPE and predicate == PREDICATE_TYPE:
            pass
        case _:
            _fail("the signed statement is not about a release of version 1")
    if found != signed:
        _fail("the numbers are not the ones that were signed")
    table = _object(result, "the result")
    if not _is_table(table):
        _fail("the signed result is not a table")
    _check_loss(facts)
    return VerifiedRelease(facts, table, tuple(_warnings(facts)))


def guarantee(facts: Mapping[str, Any]) -> str:
    """The loss of a release that verified, in one line: all its asker learned on the question.

    In a pure dataset that is a promise.  Else it is a reading: what she asked next
    may have depended on what she saw, and only her grant is promised whatever she
    asks.  Releases made before it was stated do not say its epsilon.
    """
    epsilon, delta = facts["loss"]["epsilon"], facts["loss"]["delta"]
    if facts["loss"]["definition"].startswith("pure:"):
        return f"the asker's answers to this question: {epsilon}-DP, without a delta"
    match facts.get("account"):
        case {"epsilonGranted": str(granted)}:
            promise = f": ({granted}, {delta})-DP"
        case _:
            promise = ", which this release does not state as an epsilon"
    return (
        f"up to this answer the asker's charges on this question read as ({epsilon}, {delta})-DP; "
        f"the promise is her grant's{promise}"
    )


def verify_file(path: Path, key: PublicKey) -> tuple[VerifiedRelease, ...]:
    """Check a saved bundle, or every release in a notebook's outputs; in order.

    A copy of the result beside a bundle must equal the signed one.

    :raises IntegrityError: PL407, one of them does not verify, or there is none.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        _fail(f"the file cannot be read: {error.strerror}")
    except UnicodeError:
        _fail("the file is not text")
    if path.suffix != ".ipynb":
        return (verify(text, key),)
    found = []
    for value in _outputs(_object(text, "the notebook")):
        if not isinstance(value, dict) or not isinstance(value.get("bundle"), str):
            _fail("an output of the notebook has no bundle to check")
        release = verify(value["bundle"], key)
        if "result" in value and value["result"] != release.result:
            _fail("a copy in the notebook differs from the numbers that were signed")
        found.append(release)
    if not found:
        _fail("the notebook holds no release")
    return tuple(found)


def _outputs(notebook: dict[str, Any]) -> Iterator[object]:
    """The value of every output of our media type (nbformat 4)."""
    cells = notebook.get("cells")
    for cell in cells if isinstance(cells, list) else ():
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for output in outputs if isinstance(outputs, list) else ():
            data = output.get("data") if isinstance(output, dict) else None
            if isinstance(data, dict) and MEDIA_TYPE in data:
                yield data[MEDIA_TYPE]


def _object(text: str, what: str) -> dict[str, Any]:
    """Parse one JSON object; a name twice, NaN or too much of it is an error."""
    if len(text) > MAX_CHARACTERS:
        _fail(f"{what} is longer than any release")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        _fail(f"{what} is not JSON, or is cut off")
    if not isinstance(value, dict):
        _fail(f"{what} is not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _is_table(result: dict[str, Any]) -> bool:
    match result:
        case {
            "title": str(),
            "caption": str(),
            "confidence": str(),
            "columns": list(columns),
            "rows": list(rows),
            "half_widths": list(widths),
        }:
            named = all(
                isinstance(c, dict) and {"name", "label", "kind", "decimals"} <= set(c)
                for c in columns
            )
            return (
                named
                and len(rows) == len(widths)
                and all(
                    isinstance(row, list)
                    and len(row) == len(columns)
                    and all(cell is None or isinstance(cell, str) for cell in row)
                    for row in [*rows, *widths]
                )
            )
        case _:
            return False


def _check_loss(facts: Mapping[str, Any]) -> None:
    """Refuse a statement whose law, loss and delta contradict each other.

    What is held must cover the noise that is in the numbers; in a pure dataset it
    may be more, for coarser answers that a finer one replaced.
    """
    try:
        loss, measures = facts["loss"], facts["measures"]
        kind = str(loss["definition"]).partition(":")[0]
        held = Fraction(_whole(loss["held"]), 1 << 48)
        epsilon, delta = _decimal(loss["epsilon"]), _decimal(loss["delta"])
        cost = _cost_of_all(kind, measures)
        risk, least = _decimal(loss.get("deltaOfThresholds", "0")), _risk(facts)
    except (LookupError, TypeError, ValueError, ZeroDivisionError):
        _fail("the statement's loss is not one of the noise that it names")
    fits = delta == 0 if kind == "pure" else 0 < delta < Fraction(1, 2)
    if not fits:
        _fail("the statement's delta is not one of its kind of loss")
    if risk < least or (risk and risk >= delta):
        _fail("the statement's delta is less than the threshold that it names costs")
    if not measures or cost > held or (kind == "pure" and epsilon < held):
        _fail("the statement's loss is less than the noise that it names costs")


def _cost_of_all(kind: str, measures: Sequence[Mapping[str, Any]]) -> Fraction:
    """What all noise cost.  What was bought together: its sensitivity at the finest of its noises.

    :raises LookupError, ValueError: as `_cost`, or measures that say they were bought
        together contradict each other.
    """
    total, together = Fraction(0), dict[tuple[str, str], list[Fraction]]()
    for measure in measures:
        cost = _cost(kind, measure)
        if "jointSensitivity" not in measure:
            total += cost
            continue
        if (kind, measure["mechanism"]) not in _JOINT:
            raise ValueError("no mechanism that is bought together")
        each = cost / _whole(measure[_PRICES[kind, measure["mechanism"]][0]])
        joint = measure["jointWith"], measure["jointSensitivity"]
        together.setdefault(joint, []).append(each)
    if len({first for first, _ in together}) < len(together):
        raise ValueError("one purchase has one sensitivity")
    return total + sum(
        (_whole(joint) * max(each) for (_, joint), each in together.items()), Fraction(0)
    )


_JOINT = frozenset(
    {
        ("pure", DISCRETE_LAPLACE),
        ("pure", ROUNDED_LAPLACE),
        ("pure", CHOICE),
        ("gdp", CHOICE),
    }
)


def _cost(kind: str, measure: Mapping[str, Any]) -> Fraction:
    """What the noise of one entry of ``measures`` cost, or very little less.

    :raises LookupError: no mechanism of this kind of loss, or a fact is missing.
    :raises ValueError: a number is none, or there are not as many noises as there can be.
    """
    sensitivity, price = _PRICES[kind, measure["mechanism"]]
    noises = measure["noises"]
    if not noises or (len(noises) > 1 and measure["mechanism"] != GAUSSIAN):
        raise ValueError("only Gaussian noise is merged, and there is never none")
    scales = [Fraction(_whole(n["multiplier"]), 1 << min(_whole(n["shift"]), 999)) for n in noises]
    return _whole(measure[sensitivity]) * sum(map(price, scales), Fraction(0))


def _risk(facts: Mapping[str, Any]) -> Fraction:
    """What the threshold of a statement cost of delta, or very little less; 0 without one.

    ``1 - (1 - P(noise >= at - 3/2))^groups``, in floats.
    """
    if facts["question"]["groupKeys"] == "public":
        return Fraction(0)
    test = facts["threshold"]
    measure = facts["measures"][_whole(test["measure"])]
    (noise,) = measure["noises"]
    if (measure["kind"], measure["mechanism"]) != ("units", GAUSSIAN):
        raise ValueError("a threshold tests a count of units with Gaussian noise")
    sigma = 8**0.5 * _whole(noise["multiplier"]) / 2 ** min(_whole(noise["shift"]), 999)
    one = math.erfc((_whole(test["at"]) - 1.5) / sigma / 2**0.5) / 2
    any_of = -math.expm1(_whole(test["groups"]) * math.log1p(-min(one, 1 - 1e-12)))
    return Fraction(any_of) * (1 - Fraction(1, 10**6))


def _choice_mu2(epsilon: Fraction) -> Fraction:
    """``(2 Phi^-1(e^(epsilon/2) / (1 + e^(epsilon/2))))^2`` in floats, and a hair less."""
    quantile = -NormalDist().inv_cdf(1 / (1 + math.exp(min(float(epsilon), 1024.0) / 2)))
    return Fraction(2 * max(0.0, quantile * (1 - 1e-9) - 1e-12)) ** 2


_PRICES: Mapping[tuple[str, str], tuple[str, Callable[[Fraction], Fraction]]] = {
    ("gdp", GAUSSIAN): ("squaredSensitivity", lambda scale: 1 / (8 * scale**2)),
    ("gdp", CHOICE): ("groups", _choice_mu2),
    ("pure", DISCRETE_LAPLACE): ("sensitivity", lambda scale: 1 / scale),
    ("pure", ROUNDED_LAPLACE): ("sensitivity", lambda scale: 1 / scale),
    ("pure", CHOICE): ("groups", lambda epsilon: epsilon),
    ("pure", FLIP): ("groups", lambda epsilon: epsilon),
}
"""By kind of loss and mechanism: its sensitivity's name, and what one costs by it."""


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,80}", text):
        raise ValueError("not a whole number")
    return int(text)


def _decimal(text: str) -> Fraction:
    if not re.fullmatch(r"[0-9]{1,80}(\.[0-9]{1,200})?", text):
        raise ValueError("not a decimal")
    return Fraction(text)


def _warnings(facts: dict[str, Any]) -> Iterator[str]:
    """Anything but a plain "no" to being a test counts as a test."""
    test = facts.get("test")
    flags = test if isinstance(test, dict) else {}
    if flags.get("seeded") is not False:
        yield "TEST RELEASE: its noise can be repeated, so it protects nobody"
    if flags.get("testMode") is not False:
        yield "TEST RELEASE: it was made by a curator in test mode"
    dataset = facts.get("dataset")
    if not isinstance(dataset, dict) or dataset.get("synthetic") is not False:
        yield "SYNTHETIC: the rows were generated; the numbers are about nobody"


def _fail(what: str) -> NoReturn:
    raise IntegrityError(
        what,
        code="PL407",
        hint="ask whoever gave it to you for the file as it was saved, and for the curator's key",
    )


def _words(release: VerifiedRelease) -> str:
    """The signed table and the facts, for a terminal.

    The title and the cells are an analyst's words: each is escaped before the
    lines and tabs that separate them are set, so that none can draw a table.
    """
    names = [_printable(column["name"]) for column in release.result["columns"]]
    lines = [*release.warnings, _printable(release.result["title"]), "\t".join(names)]
    for row, widths in zip(release.result["rows"], release.result["half_widths"], strict=True):
        cells = ((_printable(v), w) for v, w in zip(row, widths, strict=True))
        lines.append("\t".join(v if w is None else f"{v} ± {_printable(w)}" for v, w in cells))
    lines.append(_printable(release.result["caption"]))
    lines.append(_printable(guarantee(release.facts)))
    lines.append(json.dumps(release.facts, indent=2, ensure_ascii=True))
    return "\n".join(lines)


def _printable(value: object) -> str:
    """The text with what would not show spelled out: a line break becomes two characters."""
    kept = (
        c if c.isprintable() or c == "\N{NO-BREAK SPACE}" else repr(c)[1:-1] for c in str(value)
    )
    return "".join(kept)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0: everything verified; 4: something did not; 2: wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m privlab.release.verify", description="Check a release offline."
    )
    parser.add_argument("file", type=Path, help="a saved bundle, or a notebook")
    parser.add_argument("--key", required=True, help="the curator's privlab-ed25519:... key")
    options = parser.parse_args(arguments)
    try:
        releases = verify_file(options.file, PublicKey.parse(options.key))
    except PrivlabError as error:
        print(error, file=sys.stderr)
        return 4
    for release in releases:
        print(_words(release))
    print(f"verified: {len(releases)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
