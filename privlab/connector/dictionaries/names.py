"""What a column's name alone gives away: that it names a person, or says when one was born.

Only names are looked at.  A name can mislead either way, so what is proposed is
that nobody may use the column, and the owner decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from privlab.connector.dictionaries.stated import Said, Sheet, Stated
from privlab.terms.catalog import Kind

_WHERE = "by its name"

_DIRECT: tuple[tuple[str, str], ...] = (
    ((r"ssn|socialsecurity(?:no|nr|num|number)?|sin|nino|nhsno|nhsnumber|bsn|cpf|curp|aadhaar|nationalid"
     r"|(?:tax|fiscal)(?:id|number|no)|tin|steuerid"), "an identity number"),
    ((r"mrn|medicalrecord(?:no|num|number)|medicare(?:no|id|number)|insurance(?:no|id|number)"
     r"|memberno|policynumber|healthcardnumber"), "a record number"),
    (r"passport(?:no|num|number)?|driver(?:s)?licen[cs]e(?:no|number)?|licen[cs]eplate|vin|numberplate",
     "a document's number"),
    (r"e?mail|e?mailaddress|mail", "an e-mail address"),
    ((r"(?:tele|cell|mobile|home|work)?phone(?:no|num|number)?|(?:cell|mobile)(?:no|number)?|fax(?:no|number)?"
     r"|tel|telephone(?:no|number)?|handy"), "a telephone number"),
    ((r"(?:first|last|middle|full|given|family|maiden|birth|nick|sur|fore|user|login|display"
     r"|patient|customer|client|person|employee|member|contact|guardian|physician|doctor)names?"
     r"|names?|surname|initials|vorname|nachname|login"), "a name"),
    ((r"(?:home|street|postal|mailing|billing|shipping|work)?addr(?:ess)?(?:line)?\d?|street(?:name|number)?\d?"
     r"|housenumber|strasse"), "an address"),
    (r"lat(?:itude)?|lo?ng(?:itude)?|lon|gps(?:coordinates)?|coordinates|geo(?:point|hash|location)?",
     "a place on the map"),
    (r"ip|ip(?:v4|v6)?addr(?:ess)?|mac(?:addr(?:ess)?)?|imei|imsi|deviceid|cookieid|useragent|advertisingid|idfa",
     "a device's address"),
    (r"iban|(?:bank)?account(?:no|num|number)|(?:credit|debit)?card(?:no|num|number)|cc(?:no|num|number)|pan|cvv",
     "an account's number"),
    (r"password(?:hash)?|passwd|pwd|secret|token|apikey|fingerprint|biometrics?|photo|picture|avatar|image|signature",
     "a secret or a likeness"),
)  # fmt: skip

_FREE_TEXT = re.compile(
    r"(?:free|full)?text|notes?(?:text)?|comments?|remarks?|description|narrative|memo|message|body"
    r"|(?:clinical|nursing|discharge|progress)notes?|(?:discharge)?summary|transcript|feedback|anamnesis"
)
_BIRTH = re.compile(
    r"dob|(?:date|day|datetime)ofbirth|birth(?:date|day|datetime)|born(?:on)?|geburtsdatum"
)
_DEATH = re.compile(r"dod|(?:date|day|datetime)ofdeath|death(?:date|datetime)|died(?:on)?")
_AREA = re.compile(r"zip(?:code)?|postal?code|postcode|plz|zip[45]")
_PERSON = re.compile(
    r"(?:patient|person|subject|participant|customer|client|user|member|employee|student|visitor"
    r"|household|beneficiary|respondent|insured|subscriber|citizen|resident|donor|pseudonym)"
    r"(?:id|key|no|nr|num|number|uuid|guid|sk|ref)?|pid|uid|mpi|empi"
)


def sheet(columns: Iterable[tuple[str, Kind | None]]) -> Sheet:
    """What the names say; the kinds tell a free text and a place from numbers."""
    return Sheet({name: stated(name, kind) for name, kind in columns})


def stated(name: str, kind: Kind | None) -> Stated:
    """What one name says: nothing, for most."""
    word = re.sub(r"[^a-z0-9]", "", name.rpartition(".")[2].lower())
    if _PERSON.fullmatch(word):
        return Stated(
            person=True,
            notes=("by its name it says who a row is about: the unit, or another person's id",),
        )
    for form, what in _DIRECT:
        if re.fullmatch(form, word) and kind is not Kind.BOOL:
            return _withheld(what)
    if kind in (Kind.TEXT, None) and _FREE_TEXT.fullmatch(word):
        return _withheld("a free text")
    if _BIRTH.fullmatch(word):
        return _withheld("a date of birth", *_kept(kind, 'coarsen = "year"'))
    if _DEATH.fullmatch(word):
        return _withheld("a date of death", *_kept(kind, 'coarsen = "year"'))
    if _AREA.fullmatch(word) and kind is Kind.TEXT:
        return _withheld("where a person lives", *_kept(kind, 'coarsen = "prefix:3"'))
    return Stated()


def _withheld(what: str, *notes: str) -> Stated:
    return Stated(withheld=Said(what, _WHERE), notes=notes)


def _kept(kind: Kind | None, line: str) -> tuple[str, ...]:
    fits = kind is Kind.TEXT or (kind is not None and kind.is_time)
    return (f"to keep a part of it: {line} in place of withheld",) if fits else ()
