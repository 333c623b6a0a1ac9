"""The domain API: charge durably, then touch data, then seal durably, then answer.

Every method that changes something is one transaction with its entry in the
record, durable when it returns.  What raises has changed nothing.  Safe to call
from many threads; the order of calls is the order of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from privlab.errors import CuratorUnreachable, IntegrityError
from privlab.ledger.accounts import ChargeRequest, Entry, Recorded, Standing, State
from privlab.ledger.asked import Asked
from privlab.ledger.budgets import Budgets
from privlab.ledger.custody import Keys
from privlab.ledger.held import pack
from privlab.ledger.sqlite import Database, Row
from privlab.ledger.tables import Tables
from privlab.query.encoding import canonical_text
from privlab.query.labels import encode_labels
from privlab.terms.loss import NOTHING, Delta, Loss
from privlab.terms.noise import law_name
from privlab.views.measurement import Measurement

MAX_ATTEMPTS = 2
"""The engine runs once, and once more when nothing was sealed."""


class Ledger(Budgets, Tables, Keys, Asked):
    """One workspace's budgets, table versions, charges, answers and record."""

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], datetime]) -> Ledger:
        """Open the ledger, or create an empty one; it stays locked until `close`.

        clock: the present time, with its zone.  Time in the record never runs
        backwards, whatever the clock says.

        :raises BadContract: PL152, see `Database.open`.
        :raises IntegrityError: PL400, the file is damaged or its sums are wrong.
        """
        database = Database.open(path)
        ledger = cls(database, clock)
        try:
            ledger._check_sums()
        except BaseException:
            database.close()
            raise
        return ledger

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    # --- the life of a charge ------------------------------------------------

    def body(self, body: bytes) -> bytes:
        """The 32 bytes by which a request with this SHA-256 is known (`Recorded.body_hash`)."""
        return bytes.fromhex(self.rest.name("body", body.hex()))

    def find(self, principal: str, request_id: str) -> Recorded | None:
        """What is known of a request id of this principal.

        :raises IntegrityError: PL411, what its answer was made from was shredded;
            PL404, the answer was changed.
        """
        with self._db.lock:
            row = self._charge_row(principal, request_id)
            if row is None:
                return None
            seq, body, _, _, cost, delta = row
            sealed = self._db.row(
                "SELECT source, answer, texts FROM release JOIN charge ON seq = charge"
                " WHERE charge = ?",
                (seq,),
            )
            if sealed is not None:
                source, answer, texts = sealed
                answer = self.rest.unseal(source, f"answer {seq}", answer, texts)
                return Recorded(body, "released", answer, Loss(cost), Delta(delta))
            return Recorded(body, self._state(seq), None, Loss(cost), Delta(delta))

    def charge(self, ask: ChargeRequest) -> Standing:
        """Charge the account and the dataset, or take up a charge that was never sealed.

        Whichever it returns, the caller computes now and ends in `settle` or
        `fail`.  A request that is sealed (`find` it) or being computed raises.

        :raises CuratorUnreachable: PL302, the id was used for another body, or the
            same body is another question today (a table has a new version) or costs
            more than what was charged for it.
        :raises PolicyDenied: PL203, no account on the dataset.
        :raises BudgetExceeded: PL210 the account, PL211 the dataset does not cover it.
        :raises IntegrityError: PL406, there is or may be an answer already, or
            nothing can be recorded; PL409, two runs gave none; PL410, the charge
            is not in the dataset's currency.
        """
        with self._db.lock:
            with self._db.writing():
                known = self._charge_row(ask.principal, ask.request_id)
                standing = self._begin(ask) if known is None else self._again(known, ask)
            self._running.add((ask.principal, ask.request_id))
        return standing

    def settle(
        self,
        principal: str,
        request_id: str,
        measurements: Sequence[tuple[str, Measurement]],
        bundle: str,
        answer: bytes,
    ) -> None:
        """Seal at once: the vectors by view id, the signed bundle, the bytes to replay.

        :raises IntegrityError: PL406, the request was not charged, is sealed
            already, or nothing can be recorded; PL411, what was read was shredded
            meanwhile; then nothing may be sent.
        """
        source = self.rest.source(bundle)
        with self._finishing(principal, request_id) as (seq, dataset):
            at = self._record.append(principal, "release", dataset, subject=request_id)
            for view_id, found in measurements:
                noise, view = found.noise, self.rest.name("view", view_id)
                self._db.execute(
                    "INSERT INTO measurement VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        seq,
                        view,
                        law_name(noise),
                        noise.multiplier,
                        noise.shift,
                        self.rest.seal(source, f"vector {seq} {view}", pack(found.values)),
                    ),
                )
            for groups in {found.groups for _, found in measurements if found.groups}:
                labels = canonical_text(encode_labels(groups.labels)).encode("utf-8")
                self._db.execute(
                    "INSERT INTO shown VALUES (?, ?, ?)",
                    (seq, groups.threshold, self.rest.seal(source, f"groups {seq}", labels)),
                )
            texts = self._texts(seq)
            text = self.rest.seal(source, f"bundle {seq}", bundle.encode("utf-8"), texts)
            reply = self.rest.seal(source, f"answer {seq}", answer, texts)
            self._db.execute(
                "INSERT INTO release VALUES (?, ?, ?, ?, ?)", (seq, source, text, reply, at)
            )

    def fail(self, principal: str, request_id: str) -> None:
        """Record that the running attempt gave no answer.  The charge stands.

        :raises IntegrityError: PL406, nothing is running under this id.
        """
        with self._finishing(principal, request_id) as (seq, dataset):
            at = self._record.append(
                principal, "query", dataset, subject=request_id, outcome="failed", code="PL500"
            )
            self._db.execute(
                "INSERT INTO failure SELECT charge, max(number), ? FROM attempt WHERE charge = ?",
                (at, seq),
            )

    # --- the record ----------------------------------------------------------

    def sequence(self) -> int:
        """The number of the last entry: rises with every committed change."""
        return self._record.sequence()

    def changes(self, principal: str) -> int:
        """Rises with what happens to this principal's accounts, and with nothing else.

        The sequence would tell her when others ask.
        """
        return self._record.about(principal)

    def deny(
        self,
        principal: str,
        action: str,
        dataset: str,
        code: str,
        *,
        subject: str = "",
        amount: Loss = NOTHING,
    ) -> None:
        """Record a refusal, whoever refused."""
        with self._db.writing():
            self._record.append(
                principal,
                action,
                dataset,
                subject=subject,
                outcome="denied",
                code=code,
                amount=amount,
            )

    def entries(self, limit: int) -> tuple[Entry, ...]:
        """The last entries, newest first.  For auditors."""
        return self._record.entries(limit)

    # --- inside --------------------------------------------------------------

    def _begin(self, ask: ChargeRequest) -> Standing:
        """Write the charge; the schema spends it in the same statement."""
        self._afford(ask)
        at = self._record.append(
            ask.principal, "query", ask.dataset, subject=ask.request_id, amount=ask.cost
        )
        row = self._db.row("SELECT coalesce(max(seq), 0) + 1 FROM charge")
        seq = int(row[0]) if row else 1
        texts, words = self._sealed_words(ask, seq, at)
        self._see(self.rest.generation())
        self._db.execute(
            "INSERT INTO charge VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                seq,
                ask.principal,
                ask.request_id,
                self.body(ask.body),
                ask.dataset,
                self.rest.name("question", ask.question_id),
                ask.cost.units,
                ask.delta.units,
                self.rest.name("purpose", ask.purpose),
                ask.confidence,
                texts,
                words,
                at,
            ),
        )
        self._attempt(ask, at)
        return "new"

    def _again(self, known: Row, ask: ChargeRequest) -> Standing:
        seq, body, dataset, question, charged, delta = known
        if body != self.body(ask.body):
            raise _conflict(f"request {ask.request_id} was another question")
        if self._db.row("SELECT 1 FROM release WHERE charge = ?", (seq,)):
            raise IntegrityError(
                "this request is sealed; its answer is only replayed", code="PL406"
            )
        if (ask.principal, ask.request_id) in self._running:
            raise IntegrityError(
                "this request is being computed",
                code="PL406",
                hint="send it again under the same id a little later",
            )
        if (ask.dataset, self.rest.name("question", ask.question_id)) != (dataset, question):
            raise _conflict(
                "what was charged for is not what this question asks today: "
                "a table has a new version, for example"
            )
        if ask.cost > Loss(charged) or ask.delta > Delta(delta):
            raise _conflict("this question costs more today than what was charged for it")
        attempts = self._db.rows("SELECT number FROM attempt WHERE charge = ?", (seq,))
        if len(attempts) >= MAX_ATTEMPTS:
            raise IntegrityError(
                "this request was charged and run twice without an answer; it is not run again",
                code="PL409",
                hint="tell the steward; asking once more is a new request with a new charge",
            )
        at = self._record.append(ask.principal, "resume", ask.dataset, subject=ask.request_id)
        self._attempt(ask, at)
        return "resume"

    def _attempt(self, ask: ChargeRequest, at: str) -> None:
        self._db.execute(
            "INSERT INTO attempt SELECT seq, 1 + (SELECT count(*) FROM attempt WHERE charge = seq), ?"
            " FROM charge WHERE principal = ? AND request_id = ?",
            (at, ask.principal, ask.request_id),
        )

    @contextmanager
    def _finishing(self, principal: str, request_id: str) -> Iterator[tuple[int, str]]:
        """End the running attempt, whatever happens inside."""
        with self._db.lock:
            row = self._charge_row(principal, request_id)
            if row is None or (principal, request_id) not in self._running:
                raise IntegrityError(
                    "no run of this request is under way, so it has nothing to record",
                    code="PL406",
                )
            try:
                with self._db.writing():
                    yield row[0], row[2]
            finally:
                self._running.discard((principal, request_id))

    def _charge_row(self, principal: str, request_id: str) -> Row | None:
        return self._db.row(
            "SELECT seq, body, dataset, question_id, cost, delta FROM charge"
            " WHERE principal = ? AND request_id = ?",
            (principal, request_id),
        )

    def _state(self, seq: int) -> State:
        row = self._db.row(
            "SELECT 1 FROM failure WHERE charge = ?1"
            " AND number = (SELECT max(number) FROM attempt WHERE charge = ?1)",
            (seq,),
        )
        return "failed" if row else "charged"


def _conflict(what: str) -> CuratorUnreachable:
    return CuratorUnreachable(what, code="PL302", hint="send the question under a new id")
