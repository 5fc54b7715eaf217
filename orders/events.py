"""Facts that orders tells the other apps. Amounts are decimals as text, in `currency`."""

from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCreated(Event):
    """A draft order exists."""

    name: ClassVar[str] = "orders.order_created"
    order_id: int
    number: str
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHeld(Event):
    """A submitted order was stopped: each active hold waits for its owner."""

    name: ClassVar[str] = "orders.order_held"
    order_id: int
    number: str
    entity_id: int
    kinds: str  # separated by commas
    total: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLifted(Event):
    """A hold was lifted by its owner or by what it waited for."""

    name: ClassVar[str] = "orders.hold_lifted"
    hold_id: int
    order_id: int
    number: str
    entity_id: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReleased(Event):
    """An order passed every check: its lines wait for allocation."""

    name: ClassVar[str] = "orders.order_released"
    order_id: int
    number: str
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAllocated(Event):
    """Allocation decided about an order: `state` is allocated, partly_allocated or backordered."""

    name: ClassVar[str] = "orders.order_allocated"
    order_id: int
    number: str
    entity_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFellShort(Event):
    """A released line could not be reserved in full. `missing` is in base units."""

    name: ClassVar[str] = "orders.line_fell_short"
    line_id: int
    order_id: int
    number: str
    entity_id: int
    product_id: int
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectSupplyEnded(Event):
    """A supplier sends (some of) an order straight to the customer no more: it waits for stock."""

    name: ClassVar[str] = "orders.direct_supply_ended"
    order_id: int
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCovered(Event):
    """A line that was short is reserved in full, shipped or cancelled: nothing is missing."""

    name: ClassVar[str] = "orders.line_covered"
    line_id: int
    order_id: int
    number: str
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseChanged(Event):
    """A line is promised for another day than before, or for the first time (no `previous_date`).

    Dates are ISO: `promised_date` is kept one time of two, `p90_date` nine times of ten.
    """

    name: ClassVar[str] = "orders.promise_changed"
    line_id: int
    order_id: int
    number: str
    entity_id: int
    previous_date: str
    promised_date: str
    p90_date: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(Event):
    """An order will not be served; what it held is free."""

    name: ClassVar[str] = "orders.order_cancelled"
    order_id: int
    number: str
    entity_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAmended(Event):
    """A submitted order was changed: `revision` is what the customer sees of it now."""

    name: ClassVar[str] = "orders.order_amended"
    order_id: int
    number: str
    entity_id: int
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestUnwanted(Event):
    """A line fell short whose customer does not wait: `missing` base units are to be cancelled."""

    name: ClassVar[str] = "orders.rest_unwanted"
    line_id: int
    order_id: int
    number: str
    entity_id: int
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShipped(Event):
    """Every line of an order has left or was cancelled."""

    name: ClassVar[str] = "orders.order_shipped"
    order_id: int
    number: str
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderClosed(Event):
    """An order is shipped, invoiced and paid."""

    name: ClassVar[str] = "orders.order_closed"
    order_id: int
    number: str
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSent(Event):
    """A quote went to its customer: its prices hold."""

    name: ClassVar[str] = "orders.quote_sent"
    quote_id: int
    number: str
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteAccepted(Event):
    """A customer accepted a quote."""

    name: ClassVar[str] = "orders.quote_accepted"
    quote_id: int
    number: str
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteDeclined(Event):
    """A customer declined a quote."""

    name: ClassVar[str] = "orders.quote_declined"
    quote_id: int
    number: str
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteExpired(Event):
    """A quote's validity is over, and not all of it was ordered."""

    name: ClassVar[str] = "orders.quote_expired"
    quote_id: int
    number: str
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchFoundTooLate(Event):
    """A party to an order that is being picked or has left in part resembles a denied party."""

    name: ClassVar[str] = "orders.match_found_too_late"
    order_id: int
    number: str
    entity_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlanketEnded(Event):
    """A blanket order is over; `open` base units of what was committed were not called off."""

    name: ClassVar[str] = "orders.blanket_ended"
    blanket_id: int
    number: str
    entity_id: int
    open: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlanketEnding(Event):
    """A blanket order ends in `days_left` days, and `open` base units are not called off yet."""

    name: ClassVar[str] = "orders.blanket_ending"
    blanket_id: int
    number: str
    entity_id: int
    days_left: int
    open: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOffFailed(Event):
    """A planned delivery of a blanket order could not be made an order, and why."""

    name: ClassVar[str] = "orders.call_off_failed"
    call_off_id: int
    blanket_id: int
    number: str
    entity_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneReached(Event):
    """A subscriber is to be told of a milestone of an order, by `channel`. See MilestoneNotice."""

    name: ClassVar[str] = "orders.milestone_reached"
    notice_id: int
    order_id: int
    number: str
    entity_id: int
    kind: str
    subject: str
    reason: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceFreed(Event):
    """A part of an export licence came back: an order that had taken it gave it up."""

    name: ClassVar[str] = "orders.licence_freed"
    licence_id: int
    entity_id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionChanged(Event):
    """An export restriction came or changed at `at`; `entity_id` 0: it binds every entity.

    `after_id` is the order after which it is still to be looked at who must stop.
    """

    name: ClassVar[str] = "orders.restriction_changed"
    restriction_id: int
    entity_id: int
    code: str
    at: str
    after_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictedTooLate(Event):
    """Goods that the law would stop now have left, all or in part; `reason` says which rule."""

    name: ClassVar[str] = "orders.restricted_too_late"
    order_id: int
    number: str
    entity_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSubstituted(Event):
    """Another product goes out for `quantity` base units of a line: it is a line of its own."""

    name: ClassVar[str] = "orders.line_substituted"
    line_id: int
    order_id: int
    number: str
    entity_id: int
    new_line_id: int
    quantity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubstitutionProposed(Event):
    """Another product would do for a part of a line that is short: the customer is to be asked."""

    name: ClassVar[str] = "orders.substitution_proposed"
    substitution_id: int
    line_id: int
    order_id: int
    number: str
    entity_id: int
