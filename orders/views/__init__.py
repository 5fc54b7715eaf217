"""The pages of orders and customers."""

from orders.views._allocation import allocate_now, allocation, waiting_of_product
from orders.views._amend import amend
from orders.views._asking import ask_terms
from orders.views._blankets import activate as activate_blanket
from orders.views._blankets import blanket, blankets, new_blanket
from orders.views._blankets import call as call_off
from orders.views._blankets import end as end_blanket
from orders.views._blankets import plan as plan_call_off
from orders.views._blankets import replan as replan_call_off
from orders.views._board import board, lift_many, reevaluate_many, submit_many
from orders.views._commitments import commitment_board
from orders.views._compliance import compliance, matches, review
from orders.views._customers import (
    customer,
    customers,
    erase_customer,
    hold_customer,
    new_customer,
)
from orders.views._entry import customer_hits, edit, new, preview, product_hits, read_pasted
from orders.views._holds import (
    ask_many,
    claim_many,
    force_many,
    give_back_many,
    holds,
    lift_queued,
)
from orders.views._kits import edit_kit, kit, kits, new_kit
from orders.views._offers import (
    customer_groups,
    end_promotion,
    price_lists,
    promotions,
    write_group,
    write_price_list,
    write_promotion,
)
from orders.views._order import allocate, cancel, hold, lift, order, submit
from orders.views._prices import change_many, export_prices, new_price, prices
from orders.views._protection import change_protection, protection
from orders.views._quotes import accept as accept_quote
from orders.views._quotes import decline as decline_quote
from orders.views._quotes import edit_quote, new_quote, order_it, quote, quote_paper, quotes
from orders.views._quotes import send as send_quote
from orders.views._reallocations import (
    agree_reallocation,
    commit_reallocation,
    discard_reallocation,
    reallocation,
    refuse_reallocation,
    share_out,
    take,
    workbench,
)
from orders.views._serving import serve_customer, serve_order
from orders.views._setasides import (
    give_to_order,
    new_set_aside,
    prolong_set_aside,
    release_set_aside,
    set_aside_list,
)
from orders.views._substitutions import answer_substitution, substitutions
from orders.views._tracking import follow, revoke, track, unfollow

__all__ = [
    "accept_quote",
    "activate_blanket",
    "agree_reallocation",
    "allocate",
    "allocate_now",
    "allocation",
    "amend",
    "answer_substitution",
    "ask_many",
    "ask_terms",
    "blanket",
    "blankets",
    "board",
    "call_off",
    "cancel",
    "change_many",
    "change_protection",
    "claim_many",
    "commit_reallocation",
    "commitment_board",
    "compliance",
    "customer",
    "customer_groups",
    "customer_hits",
    "customers",
    "decline_quote",
    "discard_reallocation",
    "edit",
    "edit_kit",
    "edit_quote",
    "end_blanket",
    "end_promotion",
    "erase_customer",
    "export_prices",
    "follow",
    "force_many",
    "give_back_many",
    "give_to_order",
    "hold",
    "hold_customer",
    "holds",
    "kit",
    "kits",
    "lift",
    "lift_many",
    "lift_queued",
    "matches",
    "new",
    "new_blanket",
    "new_customer",
    "new_kit",
    "new_price",
    "new_quote",
    "new_set_aside",
    "order",
    "order_it",
    "plan_call_off",
    "preview",
    "price_lists",
    "prices",
    "product_hits",
    "prolong_set_aside",
    "promotions",
    "protection",
    "quote",
    "quote_paper",
    "quotes",
    "read_pasted",
    "reallocation",
    "reevaluate_many",
    "refuse_reallocation",
    "release_set_aside",
    "replan_call_off",
    "review",
    "revoke",
    "send_quote",
    "serve_customer",
    "serve_order",
    "set_aside_list",
    "share_out",
    "submit",
    "submit_many",
    "substitutions",
    "take",
    "track",
    "unfollow",
    "waiting_of_product",
    "workbench",
    "write_group",
    "write_price_list",
    "write_promotion",
]
