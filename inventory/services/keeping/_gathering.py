"""Keeps stock for many callers at once: whoever comes while others are served rides along next."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from threading import Condition, Lock

from django.db import transaction

from inventory.rules import Policy
from inventory.services._allocating import Allocation, Demand, Piece, allocate

# How long whoever serves waits for those who were served together last time to come back: much
# less than the commit that they save.
COMPANY_S = 0.002


class _Ticket:
    """One caller's demand, and what came of it once somebody served it."""

    __slots__ = ("answer", "demand", "failure", "told")

    def __init__(self, demand: Demand) -> None:
        self.demand = demand
        self.answer: Allocation | None = None
        self.failure: BaseException | None = None
        self.told = Lock()  # held until it is served, or it is this caller's turn to serve
        self.told.acquire()


class Gathering:
    """Serves the demands in flight of one process in batches, each by one commit.

    Of the callers that wait at the same moment one serves all, in their order of rank; the others
    find their answer when it has committed. So a hot product is locked once for all of them. What
    is promised is what `allocate` promises; several processes meet at the locks of the balances.
    """

    def __init__(
        self, *, cause: str, policy_version: str = "", policy: Policy | None = None, most: int = 500
    ) -> None:
        self.cause, self.policy_version, self.policy = cause, policy_version, policy
        self.most = most
        self._waiting: list[_Ticket] = []
        self._queue = Lock()
        self._came = Condition(self._queue)
        self._company = 1  # so many were served together last time
        self._is_served = False  # somebody serves right now

    def keep(self, *, demand: Demand, now: datetime) -> Allocation:
        """Keep stock for `demand`; return once that is durable.

        Not within a transaction of the caller's: what others wait for would hang on it. A batch in
        which anything fails is undone and its demands are served one by one, so that each caller
        sees its own failure and nobody else's.

        Raises:
            RuntimeError: a transaction is open.
        """
        if transaction.get_connection().in_atomic_block:
            raise RuntimeError("a gathering commits for several callers: call it outside")
        ticket = _Ticket(demand)
        with self._queue:
            self._waiting.append(ticket)
            self._came.notify()
            leads = not self._is_served
            self._is_served = True
        if not leads:
            ticket.told.acquire()
        if ticket.answer is None and ticket.failure is None:
            self._serve(now)
        if ticket.failure is not None:
            raise ticket.failure
        return ticket.answer  # type: ignore[return-value]  # it was served, or it failed

    def _serve(self, now: datetime) -> None:
        """Serve all who wait; then wake them, and give the turn to the first who came meanwhile."""
        with self._queue:
            self._came.wait_for(lambda: len(self._waiting) >= self._company, COMPANY_S)
            batch, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
            self._company = len(batch)
        try:
            if not self._served(batch, now) and len(batch) > 1:
                for ticket in batch:
                    ticket.failure = None
                    self._served([ticket], now)
        finally:
            with self._queue:
                self._is_served = bool(self._waiting)
                turn = self._waiting[:1]
            for ticket in [*turn, *batch]:
                ticket.told.release()

    def _served(self, batch: Sequence[_Ticket], now: datetime) -> bool:
        """Serve all or none of `batch` in one commit; test if that went well."""
        try:
            kept = allocate(
                demands=[ticket.demand for ticket in batch],
                cause=self.cause,
                policy_version=self.policy_version,
                policy=self.policy,
                now=now,
            )
        except BaseException as failure:  # noqa: BLE001  each caller is told, whatever it was
            for ticket in batch:
                ticket.failure = failure
            return False
        pieces: dict[int, list[Piece]] = {}
        for piece in kept.pieces:
            pieces.setdefault(piece.demand_id, []).append(piece)
        for ticket in batch:
            wanted = ticket.demand.id
            given = {wanted: kept.given.get(wanted, Decimal(0))}
            ticket.answer = Allocation(kept.run_id, given, pieces.get(wanted, []))
        return True
