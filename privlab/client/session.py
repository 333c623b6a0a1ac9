"""A connection to one curator: asks, streams the phases, keeps the request id."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from privlab import errors
from privlab.client.frames import Release
from privlab.client.parameters import parameter
from privlab.client.practice import Practice
from privlab.client.public import public_tables
from privlab.errors import Caret, CuratorUnreachable, IntegrityError, PrivlabError
from privlab.seal.keys import PublicKey
from privlab.wire import locate
from privlab.wire.messages import (
    PROTOCOL,
    Ask,
    Event,
    Explanation,
    Hello,
    Message,
    Phase,
    Practised,
    Price,
    Problem,
    Released,
    State,
    TableFacts,
)

DEFAULT_PRICE = Price(share="1")
ATTEMPTS = 3
"""How often one request is sent when the line breaks.  Its id makes that safe."""

OnPhase = Callable[[Phase], None]
T = TypeVar("T")


class Session:
    """What a notebook holds: a way to ask, and nothing secret."""

    def __init__(
        self, place: locate.Place, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.place = place
        self._http = httpx.Client(
            transport=transport or httpx.HTTPTransport(uds=str(place.socket)),
            base_url=place.base_url,
            timeout=httpx.Timeout(10.0, read=600.0),
        )
        self._unfinished: dict[str, str] = {}
        self.hello = self._greet()
        self._key = PublicKey.parse(self.hello.key)

    @classmethod
    def connect(cls, url: str | None = None) -> Session:
        """Find the curator, start it if need be, and check that it is the right one.

        :raises CuratorUnreachable: PL300 nobody answers; PL303 somebody else does.
        """
        place = locate.start(locate.find(url))
        try:
            return cls(place)
        except CuratorUnreachable as error:
            if error.code != "PL300":
                raise
        # It answered the door and was gone: one curator was ending as we came.
        return cls(locate.start(locate.find(url)))

    def ask(
        self,
        text: str,
        *,
        name: str = "",
        price: Price = DEFAULT_PRICE,
        parameters: Mapping[str, object] | None = None,
        public: Mapping[str, object] | None = None,
        purpose: str = "exploration",
        confidence: str = "95",
        simultaneous: bool = False,
        on_phase: OnPhase | None = None,
    ) -> Release:
        """Answer ``text`` with differential privacy.

        public: frames of your own that the text names as tables.

        A broken line is retried with the same request id, so that one question
        is charged once and answered with the same bytes.  A question that was
        charged and not answered keeps its id in this session: asking it again
        in the same words takes up the old charge.

        :raises PrivlabError: whatever the curator refused, as `errors` lists it.
        """
        ask = self._message(
            text, name, price, parameters, public, purpose, confidence, simultaneous
        )
        words = ask.model_dump_json(exclude={"id"})
        ask = ask.model_copy(update={"id": self._unfinished.setdefault(words, ask.id)})
        try:
            release = self._insist(ask, on_phase)
        except PrivlabError as error:
            if error.code not in _MAY_BE_CHARGED:
                del self._unfinished[words]
            raise
        del self._unfinished[words]
        return release

    def explain(
        self,
        text: str,
        *,
        price: Price = DEFAULT_PRICE,
        parameters: Mapping[str, object] | None = None,
        public: Mapping[str, object] | None = None,
        purpose: str = "exploration",
        confidence: str = "95",
        simultaneous: bool = False,
    ) -> Explanation:
        """What ``text`` would cost and how close it would come.  Spends nothing."""
        ask = self._message(text, "", price, parameters, public, purpose, confidence, simultaneous)
        return self.call("POST", "/v1/explain", Explanation, ask)

    def practise(
        self,
        text: str,
        *,
        name: str = "",
        price: Price = DEFAULT_PRICE,
        parameters: Mapping[str, object] | None = None,
        public: Mapping[str, object] | None = None,
        purpose: str = "exploration",
        confidence: str = "95",
        simultaneous: bool = False,
    ) -> Practice:
        """Answer ``text`` about rows invented from the contract.  Free, unsigned, not recorded.

        :raises PrivlabError: whatever the real question would be refused for,
            but for a lack of budget.
        """
        ask = self._message(
            text, name, price, parameters, public, purpose, confidence, simultaneous
        )
        return Practice.told(self.call("POST", "/v1/practice", Practised, ask))

    def tables(self) -> tuple[TableFacts, ...]:
        """Every table that can be asked about."""
        return self.call("GET", "/v1/tables", tuple[TableFacts, ...])

    def describe(self, name: str) -> TableFacts:
        """One table, as its contract states it.

        :raises BadQuery: PL102 no such table.
        """
        return self.call("GET", f"/v1/tables/{_segment(name)}", TableFacts)

    def state(self) -> State:
        """Accounts and releases of the principal on this connection."""
        return self.call("GET", "/v1/state", State)

    def history(self) -> tuple[Released, ...]:
        """Releases of this principal, newest first."""
        return self.state().releases

    def bundle(self, request: str) -> str:
        """The signed bundle of an earlier release of this principal."""
        return self.call("GET", f"/v1/releases/{_segment(request)}", str)

    def close(self) -> None:
        """Let the connection go.  Nothing is lost: the curator keeps the releases."""
        self._http.close()

    # -- inside ---------------------------------------------------------------

    def _message(
        self,
        text: str,
        name: str,
        price: Price,
        parameters: Mapping[str, object] | None,
        public: Mapping[str, object] | None,
        purpose: str,
        confidence: str,
        simultaneous: bool,
    ) -> Ask:
        try:
            return Ask(
                id=secrets.token_urlsafe(18),
                text=text,
                name=name,
                price=price,
                parameters={
                    key: parameter(key, value) for key, value in (parameters or {}).items()
                },
                public=public_tables(public),
                purpose=purpose,
                confidence=confidence,
                simultaneous=simultaneous,
            )
        except ValidationError as problem:
            field = ".".join(str(part) for part in problem.errors()[0]["loc"])
            raise errors.BadQuery(
                f"the argument {field or 'given'} is empty, too long or of the wrong type",
                code="PL112",
                hint='for example: privlab.ask("SELECT COUNT(*) AS n FROM visits", share="1")',
            ) from None

    def _insist(self, ask: Ask, on_phase: OnPhase | None) -> Release:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._stream(ask, on_phase)
            except httpx.TransportError:
                if attempt == ATTEMPTS:
                    break
                locate.start(self.place)
        raise CuratorUnreachable(
            "the curator went away during the request",
            code="PL301",
            hint="ask again: a question already answered under this account is free",
            facts={"request": ask.id},
        )

    def _stream(self, ask: Ask, on_phase: OnPhase | None) -> Release:
        with self._http.stream(
            "PUT", f"/v1/queries/{ask.id}", content=ask.model_dump_json(), headers=_JSON
        ) as response:
            if response.status_code != httpx.codes.OK:
                response.read()
                raise _problem_of(response)
            for line in response.iter_lines():
                event = Event.model_validate_json(line)
                if event.phase is not None and on_phase is not None:
                    on_phase(event.phase)
                if event.problem is not None:
                    raise raised(event.problem)
                if event.answer is not None:
                    return Release.received(event.answer, self._key)
        raise httpx.RemoteProtocolError("the stream ended without an answer")

    def _greet(self) -> Hello:
        locate.check_listener(self.place)
        hello = self.call("GET", "/v1/hello", Hello)
        if hello.protocol != PROTOCOL:
            raise CuratorUnreachable(
                f"the curator speaks protocol {hello.protocol}, this client {PROTOCOL}",
                code="PL304",
                hint="upgrade the older of the two: pip install --upgrade privlab",
            )
        if self.place.workspace is not None:
            pinned = self.place.workspace / "curator.pub"
            if pinned.is_file() and pinned.read_text("ascii").strip() != hello.key:
                raise CuratorUnreachable(
                    "the curator's key is not the one this workspace names",
                    code="PL303",
                    hint="do not ask it anything; tell the operator",
                )
        return hello

    def call(
        self,
        method: str,
        path: str,
        shape: type[T],
        body: Message | None = None,
        *,
        patient: bool = False,
    ) -> T:
        """One exchange: ``body`` out, a value of type ``shape`` back.

        patient: wait for as long as it takes.

        :raises PrivlabError: what the curator refused, or PL300.
        """
        with _reaching(self.place):
            response = self._http.request(
                method,
                path,
                content=None if body is None else body.model_dump_json(),
                headers=_JSON if body is not None else None,
                timeout=_PATIENT if patient else httpx.USE_CLIENT_DEFAULT,
            )
        if response.status_code != httpx.codes.OK:
            raise _problem_of(response)
        return TypeAdapter(shape).validate_json(response.content)


_MAY_BE_CHARGED = frozenset({"PL301", "PL406", "PL500"})
"""After these the charge may stand, so the request keeps its id."""

_JSON = {"content-type": "application/json"}
_PATIENT = httpx.Timeout(10.0, read=None)


def raised(problem: Problem) -> PrivlabError:
    """The error that ``problem`` carries, of the class its code belongs to."""
    caret = Caret(*problem.caret) if problem.caret else None
    return _class_of(problem.code)(
        problem.what,
        code=problem.code,
        hint=problem.hint,
        caret=caret,
        facts=dict(problem.facts),
    )


def _class_of(code: str) -> type[PrivlabError]:
    for prefix, kind in (
        ("PL15", errors.BadContract),
        ("PL1", errors.BadQuery),
        ("PL21", errors.BudgetExceeded),
        ("PL20", errors.PolicyDenied),
        ("PL3", CuratorUnreachable),
        ("PL4", IntegrityError),
    ):
        if code.startswith(prefix):
            return kind
    return PrivlabError


def _problem_of(response: httpx.Response) -> PrivlabError:
    try:
        return raised(Problem.model_validate_json(response.content))
    except ValidationError:
        return CuratorUnreachable(
            f"the process on the socket answered with status {response.status_code} and no reason",
            code="PL304",
            hint="is it a curator of this version? see: privlab curator status",
        )


@contextmanager
def _reaching(place: locate.Place) -> Iterator[None]:
    try:
        yield
    except httpx.TransportError:
        raise CuratorUnreachable(
            "no curator answered",
            hint="start it with: privlab curator start",
            facts={"socket": str(place.socket), "chosen because": place.why},
        ) from None


def _segment(name: str) -> str:
    if not name or "/" in name or not name.isprintable():
        raise errors.BadQuery(
            f"{name!r} is not a name", code="PL102", hint="list the tables with: %private tables"
        )
    return httpx.URL("http://x").copy_with(path=f"/{name}").raw_path.decode()[1:]
