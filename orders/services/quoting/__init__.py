"""Everything that changes quotes."""

from orders.services.quoting._answering import (
    NotAnswerable,
    NotSendable,
    accept_quote,
    decline_quote,
    expire_quotes,
    send_quote,
)
from orders.services.quoting._ordering import (
    NotOrderable,
    QuoteExpired,
    QuotePart,
    order_quote,
)
from orders.services.quoting._printing import quote_pdf
from orders.services.quoting._writing import (
    QuoteDraft,
    QuoteFixed,
    ValidityOver,
    revise_quote,
    write_quote,
)

__all__ = [
    "NotAnswerable",
    "NotOrderable",
    "NotSendable",
    "QuoteDraft",
    "QuoteExpired",
    "QuoteFixed",
    "QuotePart",
    "ValidityOver",
    "accept_quote",
    "decline_quote",
    "expire_quotes",
    "order_quote",
    "quote_pdf",
    "revise_quote",
    "send_quote",
    "write_quote",
]
