"""The closed list of plays: what each is called, and how it is undone or why it is not."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlayKind:
    """One kind of way out: `undo` says how it is undone, or else `final` why it is not."""

    label: str
    undo: str = ""
    final: str = ""


EARLIER_PROMISE = "The case opens again; an earlier promise that can still be kept is given again."
RESERVED = "What is reserved is moved by allocating the line anew."
CANCELLED = "What was cancelled was told to the customer: it is ordered anew."
OFF_THE_SHELF = "Stock is moved back by the opposite adjustment, while it is still there."
PURCHASE = "The purchase is called off, unless something of it came."
TRANSFER = "The transfer is called off, unless it has left."
PROMISED = "Customers were told: another day is agreed with them."
ON_THE_ROAD = "It is given another carrier or day by doing so again."
SETTLED = "What became of it was posted: it is corrected by a count."
PRICES = "The lines get the prices back that they had; the order is held for them again."

PLAY_KINDS: Mapping[str, PlayKind] = {
    "other_node": PlayKind("Ship from another node", final=RESERVED),
    "split": PlayKind("Split over several nodes", final=RESERVED),
    "partial": PlayKind("Ship a part, backorder the rest", final=RESERVED),
    "backorder": PlayKind("Backorder", undo=EARLIER_PROMISE),
    "pegged_inbound": PlayKind("Hold to what is on its way", undo=EARLIER_PROMISE),
    "redate": PlayKind("Agree another date", undo=EARLIER_PROMISE),
    "transfer": PlayKind("Transfer", undo=TRANSFER),
    "transfer_group": PlayKind("Buy from a company of the group", undo=TRANSFER),
    "buy": PlayKind("Buy", undo=PURCHASE),
    "buy_expedited": PlayKind("Buy where it is quickest", undo=PURCHASE),
    "drop_ship": PlayKind("Sent by the supplier", undo=PURCHASE),
    "substitute": PlayKind("Substitute", final=CANCELLED),
    "cancel_line": PlayKind("Cancel what is short", final=CANCELLED),
    "release": PlayKind("Release once", undo="The order is stopped again by hand."),
    "cancel": PlayKind("Cancel the order", final=CANCELLED),
    "raise_limit": PlayKind(
        "Raise the limit for a time", final="It ends by itself; sooner by another request."
    ),
    "prepayment": PlayKind(
        "Take a prepayment", final="Cash that was posted is corrected in the books."
    ),
    "keep_held": PlayKind("Keep it held", undo="The case is taken up again."),
    "honour_contract": PlayKind("Honour the contract", undo=PRICES),
    "honour_quote": PlayKind("Honour the quote", final="What was promised is not taken back."),
    "reprice": PlayKind("Re-price", undo=PRICES),
    "accept_late": PlayKind("Accept the later day", undo="The lines get their former days back."),
    "resource": PlayKind(
        "Re-source", final="The supplier was told: order there anew, and call the other one off."
    ),
    "split_purchase": PlayKind(
        "Split the purchase", final="The supplier was told: order there anew."
    ),
    "close_rest": PlayKind("Close the rest", final="The supplier was told: order there anew."),
    "approve": PlayKind("Approve", final="An approval is not taken back; cancel the purchase."),
    "send_back": PlayKind("Send back", final="Its author submits it anew."),
    "put_back": PlayKind("Put back on the shelf", undo=OFF_THE_SHELF),
    "write_off": PlayKind("Write off", undo=OFF_THE_SHELF),
    "repick": PlayKind("Pick elsewhere", final=RESERVED),
    "replan": PlayKind("Plan the shipment anew", final="There is a new shipment in its place."),
    "invoice": PlayKind("Invoice now", final="An invoice that was posted is credited."),
    "replay": PlayKind("Deliver again", final="A fact that was taken stays taken."),
    "accept_change": PlayKind("Take the day as it is", final=PROMISED),
    "stock_up": PlayKind("Buy before it is gone", undo=PURCHASE),
    "move_in": PlayKind("Bring it over", undo=TRANSFER),
    "move_lot": PlayKind("Send it where it sells", undo=TRANSFER),
    "block_lot": PlayKind("Block the lot", undo="The lot is let go again."),
    "redeliver": PlayKind("Send with the same carrier", final=ON_THE_ROAD),
    "reroute": PlayKind("Send with another carrier", final=ON_THE_ROAD),
    "expedite": PlayKind("Send the fastest way", final=ON_THE_ROAD),
    "note_arrival": PlayKind("Note that it arrived", final="Proof of an arrival stays."),
    "note_failure": PlayKind("Give it up", final="It is sent once more, or noted as arrived."),
    "chase": PlayKind("Ask the carrier", undo="The case is taken up again."),
    "accept_loss": PlayKind("Accept the loss", final=SETTLED),
    "came_late": PlayKind("It came after all", final=SETTLED),
    "came_back": PlayKind("It is back", final=SETTLED),
    "count_there": PlayKind("Count it there", final="The sheet is called off where counts are."),
    "end_role": PlayKind("Take the role", final="It is given again where roles are given."),
    "bear": PlayKind("Bear it for a time", final="It is ended where duties are looked at."),
    "invoice_month": PlayKind("Invoice the month", final="Invoices that were posted are credited."),
    "stop_order": PlayKind("Stop the order", final="The hold is lifted as any other."),
}
