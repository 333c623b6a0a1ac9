"""The messages of those who own data and give budgets, protocol version 1."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from privlab.wire.messages import Message, Name, Units

Contract = Annotated[str, StringConstraints(min_length=1, max_length=200_000)]
Base64Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")]
Digest = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]
Tool = Annotated[str, StringConstraints(pattern=r"^[ -~]{0,100}$")]
Hex256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Prepare(Message):
    """Ask for what is needed to protect a new version of the table in ``contract``."""

    contract: Contract


class Prepared(Message):
    """Keys for this version, base64, and the folder its parts go to.

    unit_key makes pseudonyms and is the same for every table of the dataset;
    order_key orders the rows inside a unit and is new for every version.
    """

    dataset: str
    table: str
    version: int
    unit_key: Base64Key
    order_key: Base64Key
    folder: str


class File(Message):
    """One encrypted file."""

    size: int = Field(gt=0)
    footer_sha256: Hex256


class Part(Message):
    """A bucket of a table version: the file of its rows, and that of its units."""

    bucket: int = Field(ge=0)
    rows: File
    units: File


class DataKeys(Message):
    """32-byte keys, base64: of each column by its name, the footer's under "", and of each bucket."""

    columns: dict[Annotated[str, StringConstraints(max_length=200)], Base64Key]
    buckets: dict[Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4}$")], Base64Key]


class Register(Message):
    """Wrap these data keys, sign the manifest, and let the version be asked about.

    tool: the program that read the source.  source: its SHA-256, of which an HMAC is
    kept; "" where it has no bytes of its own.
    """

    contract: Contract
    version: int
    parts: tuple[Part, ...] = Field(min_length=1, max_length=4_096, strict=False)
    keys: DataKeys
    tool: Tool = ""
    source: Digest = ""


TableName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}(\.[a-z][a-z0-9_]{0,62})?$")
]
Pseudonym = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{22}==$")]


class PrepareAppend(Message):
    """Ask for what is needed to add rows to a table: NAME or DATASET.NAME."""

    table: TableName


class AppendPrepared(Message):
    """As `Prepared`, of the version that comes next, with the contract that stays.

    folder: where the new rows go as a protected table of their own, until they are added.
    """

    contract: str
    prepared: Prepared


class Append(Message):
    """Make the next version of the rows there are and of those in these parts."""

    table: TableName
    version: int
    parts: tuple[Part, ...] = Field(min_length=1, max_length=4_096, strict=False)
    keys: DataKeys
    tool: Tool = ""
    source: Digest = ""


class PrepareForget(Message):
    """Ask for what is needed to name units: of one table, or of all of a dataset's."""

    table: TableName | None = None
    dataset: Name | None = None


class ForgetPrepared(Message):
    """unit_key: as in `Prepared`.  tables: those it is about, each with its unit's kind."""

    dataset: str
    unit_key: Base64Key
    tables: dict[str, str]


class Forget(Message):
    """Make the next version of each table without these units.

    tables: per table, the pseudonyms of the units, 16 bytes, base64.
    """

    dataset: Name
    tables: dict[Name, Annotated[tuple[Pseudonym, ...], Field(min_length=1, strict=False)]] = Field(
        min_length=1
    )


class Forgotten(Message):
    """versions: of each table.  parts: how many of each were written anew.  left: by hand."""

    versions: dict[str, int]
    parts: dict[str, int]
    left: str


class Registered(Message):
    """The version can be asked about from now on."""

    dataset: str
    table: str
    version: int


class Budgets(Message):
    """Set a dataset's cap and its analysts' grants; nothing is set unless all are allowed.

    thresholds: the part of delta that showing groups of unknown keys may use up, in
    units of 2^-64; None leaves it.  Whoever is granted a part of the cap is granted the
    same part of it.
    """

    dataset: Name
    cap: Units
    delta: Annotated[
        str,
        StringConstraints(
            pattern=r"^[0-9]{1,40}(/[0-9]{1,40})?$|^0?\.[0-9]{1,40}$|^1e-[0-9]{1,2}$"
        ),
    ]
    grants: dict[Name, Units]
    thresholds: Units | None = None


class DatasetTable(Message):
    """One table's bound: rows of one unit in an ungrouped question."""

    name: str
    rows_per_unit: int
    rows: int | None


class DatasetFacts(Message):
    """What a budget is planned from: metadata alone.

    currency: "gdp", amounts are of mu^2, or "pure", they are of epsilon.  thresholds: the
    part of delta that thresholds may use up, thresholds_spent: what they did, in units of 2^-64.
    """

    dataset: str
    unit_word: str
    currency: str
    cap: Units
    spent: Units
    delta: str
    thresholds: Units
    thresholds_spent: Units
    tables: tuple[DatasetTable, ...]
    grants: dict[str, Units]
    people: tuple[str, ...]
