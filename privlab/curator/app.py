"""The service: who is asking becomes a `Principal`, what is asked becomes an answer.

Every error leaves as a `Problem` with a stable code.  An exception we did not
raise on purpose leaves as PL500 or PL501, and of it only the type and the place
are logged: its text could hold a value.
"""

# No ``from __future__ import annotations`` here: FastAPI reads annotations that are
# local to `application`.

import asyncio
import contextlib
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from privlab._version import __version__
from privlab.curator import answer as answers
from privlab.curator import catalog, keys, owner, practice, state, succession
from privlab.curator.desk import Desk
from privlab.curator.peer import uid_of
from privlab.errors import BadQuery, CuratorFailed, EngineFailed, PrivlabError, Refused
from privlab.terms.principal import Principal
from privlab.wire.catalog import CameFrom, CheckedAll, SourceOf, Stores
from privlab.wire.keys import KeyDeed, Keys, Rotate, Rotated, Shred, Shredded
from privlab.wire.messages import (
    PROTOCOL,
    Answer,
    Ask,
    Event,
    Explanation,
    Hello,
    Phase,
    Practised,
    Problem,
    State,
    TableFacts,
)
from privlab.wire.owner import (
    Append,
    AppendPrepared,
    Budgets,
    DatasetFacts,
    Forget,
    ForgetPrepared,
    Forgotten,
    Prepare,
    PrepareAppend,
    Prepared,
    PrepareForget,
    Register,
    Registered,
)

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
            seq = desk.ledger.changes(who.name)
            if seq != after or ending() or await request.is_disconnected():
                break
            await asyncio.sleep(0.1)
        return {"seq": seq}

    @app.post("/v1/explain")
    def explain(who: Who, ask: Ask) -> Explanation:
        return answers.explain(desk, who, ask)

    @app.post("/v1/practice")
    def practise(who: Who, ask: Ask) -> Practised:
        return practice.practise(desk, who, ask)

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

    @app.post("/v1/owner/append/prepare")
    def prepare_append(who: Who, body: PrepareAppend) -> AppendPrepared:
        return succession.prepare_append(desk, who, body)

    @app.post("/v1/owner/append")
    def append(who: Who, body: Append) -> Registered:
        return succession.append(desk, who, body)

    @app.post("/v1/owner/forget/prepare")
    def prepare_forget(who: Who, body: PrepareForget) -> ForgetPrepared:
        return succession.prepare_forget(desk, who, body)

    @app.post("/v1/owner/forget")
    def forget(who: Who, body: Forget) -> Forgotten:
        return succession.forget(desk, who, body)

    @app.post("/v1/owner/budgets")
    def budgets(who: Who, body: Budgets) -> DatasetFacts:
        return owner.set_budgets(desk, who, body)

    @app.get("/v1/owner/datasets/{dataset}")
    def dataset(who: Who, dataset: str) -> DatasetFacts:
        return owner.dataset_facts(desk, who, dataset)

    @app.get("/v1/owner/catalog")
    def stored(who: Who, table: str = "") -> Stores:
        return catalog.stored(desk, who, table)

    @app.post("/v1/owner/catalog/source")
    def came_from(who: Who, body: SourceOf) -> CameFrom:
        return catalog.came_from(desk, who, body)

    @app.post("/v1/owner/catalog/verify")
    def checked(who: Who, table: str = "") -> CheckedAll:
        return catalog.checked(desk, who, table)

    @app.get("/v1/owner/keys")
    def key_list(who: Who) -> Keys:
        return keys.listed(desk, who)

    @app.post("/v1/owner/keys/rotate")
    def rotate(who: Who, body: Rotate) -> Rotated:
        return keys.rotate(desk, who, body)

    @app.post("/v1/owner/keys/shred")
    def shred(who: Who, body: Shred) -> Shredded:
        return keys.shred(desk, who, body)

    @app.post("/v1/owner/keys/deeds")
    def deed(who: Who, body: KeyDeed) -> Keys:
        return keys.noted(desk, who, body)

    return app


class Bounded:
    """Refuses a body that is too long or of unknown length, and swallows the unforeseen."""

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
            await self._guarded(scope, receive, send)
            return
        refusal = BadQuery(f"a request has at most {MAX_BODY:,} bytes, and says so", code="PL306")
        await _told(refusal)(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:  # noqa: BLE001 - its text could hold a value
            report(error)
            if not started:
                await _told(CuratorFailed())(scope, receive, send)


def report(error: BaseException) -> None:
    """Tell the operator where something unforeseen happened: no message, no values."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "privlab" in frame.filename
    ]
    where = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "a library"
    print(f"unforeseen {type(error).__name__} in {where}", file=sys.stderr, flush=True)


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
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[Event | None] = asyncio.Queue()
    gone = threading.Event()

    def tell(event: Event | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the asker
            loop.call_soon_threadsafe(events.put_nowait, event)

    def work() -> None:
        try:
            tell(Event(answer=_answered(desk, who, ask, tell, gone)))
        except PrivlabError as error:
            tell(Event(problem=problem_of(error)))
        except Exception as error:  # noqa: BLE001 - its text could hold a value
            report(error)
            tell(Event(problem=problem_of(_unforeseen(desk, who, ask))))
        finally:
            tell(None)

    threading.Thread(target=work, name="query", daemon=False).start()
    try:
        while (event := await events.get()) is not None:
            yield event.model_dump_json(exclude_none=True).encode() + b"\n"
    finally:
        gone.set()


def _unforeseen(desk: Desk, who: Principal, ask: Ask) -> PrivlabError:
    """PL501 while the ledger has no charge of this request; else, or if it cannot say, PL500."""
    try:
        charged = desk.ledger.find(who.name, ask.id) is not None
    except Exception as error:  # noqa: BLE001 - its text could hold a value
        report(error)
        charged = True
    return EngineFailed() if charged else CuratorFailed()


def _answered(
    desk: Desk,
    who: Principal,
    ask: Ask,
    tell: Callable[[Event], None],
    gone: threading.Event,
) -> Answer:
    def say(phase: Phase) -> None:
        tell(Event(phase=phase))

    return answers.answer(desk, who, ask, say, lambda: not gone.is_set())


def _told(error: PrivlabError) -> JSONResponse:
    status = next(status for code, status in _STATUS.items() if error.code.startswith(code))
    return JSONResponse(problem_of(error).model_dump(mode="json"), status_code=status)
