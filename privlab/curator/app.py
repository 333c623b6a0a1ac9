"""The service: who is asking becomes a `Principal`, what is asked becomes an answer.

Every error leaves as a `Problem` with a stable code.  An exception we did not
raise on purpose leaves as PL500 and nothing of it is told or logged: its text
could hold a value.
"""

# No ``from __future__ import annotations`` here: FastAPI reads annotations that are
# local to `application`.

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from privlab._version import __version__
from privlab.curator import answer as answers
from privlab.curator import owner, state
from privlab.curator.desk import Desk
from privlab.curator.peer import uid_of
from privlab.errors import BadQuery, EngineFailed, PrivlabError, Refused
from privlab.terms.principal import Principal
from privlab.wire.messages import (
    PROTOCOL,
    Answer,
    Ask,
    Event,
    Explanation,
    Hello,
    Phase,
    Problem,
    State,
    TableFacts,
)
from privlab.wire.owner import Budgets, DatasetFacts, Prepare, Prepared, Register, Registered

MAX_BODY = 4_000_000
WATCH_SECONDS = 25.0
_STATUS = {"PL306": 400, "PL1": 400, "PL2": 403, "PL3": 409, "PL4": 500, "PL5": 500}
"""HTTP status by the beginning of the code; the code is what counts."""


def application(desk: Desk, *, touched: Callable[[], None], ending: Callable[[], bool]) -> FastAPI:
    """The FastAPI application of one curator.

    touched: called at every request that is not a watch; the idle clock's reset.
    ending: whether the process is about to stop; a watch then lets go.
    """
    app = FastAPI(title="privlab curator", version=__version__, docs_url=None, redoc_url=None)

    def principal(request: Request) -> Principal:
        uid = uid_of(dict(request.scope))
        found = desk.workspace.principal(uid)
        if found is None:
            raise Refused(
                f"this workspace knows nobody with uid {uid}",
                code="PL203",
                hint="ask the owner to add you to privlab.toml under [people]",
            )
        return found

    Who = Annotated[Principal, Depends(principal)]  # noqa: N806 - a type

    app.add_middleware(Bounded, touched=touched)

    @app.exception_handler(PrivlabError)
    async def on_purpose(_: Request, error: PrivlabError) -> Response:
        return _told(error)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> Response:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        return _told(
            BadQuery(
                f"the request is malformed at {where}",
                code="PL306",
                hint="is the client of the curator's version?",
            )
        )

    @app.exception_handler(Exception)
    async def unforeseen(_: Request, error: Exception) -> Response:
        return _told(EngineFailed())

    @app.get("/v1/hello")
    def hello(who: Who) -> Hello:
        return Hello(
            protocol=PROTOCOL,
            version=__version__,
            workspace=str(desk.workspace.folder),
            key=desk.signer.public.text,
            principal=who.name,
            roles=tuple(sorted(who.roles)),
            tier=who.tier.words,
        )

    @app.get("/v1/tables")
    def tables(who: Who) -> tuple[TableFacts, ...]:
        return state.tables(desk, who)

    @app.get("/v1/tables/{name}")
    def describe(who: Who, name: str) -> TableFacts:
        return state.table(desk, who, name)

    @app.get("/v1/state")
    def current(who: Who) -> State:
        return state.state(desk, who)

    @app.get("/v1/releases/{request}")
    def release(who: Who, request: str) -> str:
        return state.bundle(desk, who, request)

    @app.get("/v1/watch")
    async def watch(who: Who, request: Request, after: int = 0) -> dict[str, int]:
        for _ in range(int(WATCH_SECONDS / 0.1)):
            seq = desk.ledger.sequence()
            if seq != after or ending() or await request.is_disconnected():
                break
            await asyncio.sleep(0.1)
        return {"seq": seq}

    @app.post("/v1/explain")
    def explain(who: Who, ask: Ask) -> Explanation:
        return answers.explain(desk, who, ask)

    @app.put("/v1/queries/{request_id}")
    async def query(
        who: Who, ask: Ask, request: Request, request_id: Annotated[str, Path(max_length=64)]
    ) -> StreamingResponse:
        if ask.id != request_id:
            raise BadQuery("the id in the path is not the id in the body", code="PL306")
        return StreamingResponse(
            _events(desk, who, ask, request), media_type="application/x-ndjson"
        )

    @app.post("/v1/owner/prepare")
    def prepare(who: Who, body: Prepare) -> Prepared:
        return owner.prepare(desk, who, body)

    @app.post("/v1/owner/register")
    def register(who: Who, body: Register) -> Registered:
        return owner.register(desk, who, body)

    @app.post("/v1/owner/budgets")
    def budgets(who: Who, body: Budgets) -> DatasetFacts:
        return owner.set_budgets(desk, who, body)

    @app.get("/v1/owner/datasets/{dataset}")
    def dataset(who: Who, dataset: str) -> DatasetFacts:
        return owner.dataset_facts(desk, who, dataset)

    return app


class Bounded:
    """Refuses a body that is too long, or that does not say how long it is."""

    def __init__(self, app: ASGIApp, *, touched: Callable[[], None]) -> None:
        self._app = app
        self._touched = touched

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] != "/v1/watch":
            self._touched()
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        fits = length.isdecimal() and len(length) < 12 and int(length) <= MAX_BODY
        if fits and "transfer-encoding" not in headers:
            await self._app(scope, receive, send)
            return
        refusal = BadQuery(f"a request has at most {MAX_BODY:,} bytes, and says so", code="PL306")
        await _told(refusal)(scope, receive, send)


def problem_of(error: PrivlabError) -> Problem:
    """The error as the wire carries it."""
    caret = error.caret
    return Problem(
        code=error.code,
        what=error.what,
        hint=error.hint,
        facts=error.facts,
        caret=None if caret is None else (caret.text, caret.start, caret.end),
    )


async def _events(desk: Desk, who: Principal, ask: Ask, request: Request) -> AsyncIterator[bytes]:
    """The answer's stream.  The work goes on when the asker leaves after the charge."""
    events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    gone = threading.Event()

    def work() -> None:
        try:
            events.put(Event(answer=_answered(desk, who, ask, events, gone)))
        except PrivlabError as error:
            events.put(Event(problem=problem_of(error)))
        except Exception:  # noqa: BLE001 - its text could hold a value
            events.put(Event(problem=problem_of(EngineFailed())))
        finally:
            events.put(None)

    worker = threading.Thread(target=work, name="query", daemon=False)
    worker.start()
    try:
        while (event := await asyncio.to_thread(events.get)) is not None:
            yield event.model_dump_json(exclude_none=True).encode() + b"\n"
    finally:
        gone.set()


def _answered(
    desk: Desk,
    who: Principal,
    ask: Ask,
    events: queue.SimpleQueue[Event | None],
    gone: threading.Event,
) -> Answer:
    def say(phase: Phase) -> None:
        events.put(Event(phase=phase))

    return answers.answer(desk, who, ask, say, lambda: not gone.is_set())


def _told(error: PrivlabError) -> JSONResponse:
    status = next(status for code, status in _STATUS.items() if error.code.startswith(code))
    return JSONResponse(problem_of(error).model_dump(mode="json"), status_code=status)
