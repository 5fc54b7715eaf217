"""What people type about orders, customers, prices, agreements and kits."""

from orders.forms._agreeing import BlanketEntry
from orders.forms._kitting import KitEntry
from orders.forms._offers import Coded, GroupForm, PriceListForm, PromotionForm, ended
from orders.forms._orders import (
    GRID_MAX,
    CustomerForm,
    Entry,
    HeadForm,
    MassForm,
    PriceForm,
    Row,
)
from orders.forms._serving import ServingForm, typed, worded
from orders.forms._setasides import SetAsideForm
from orders.forms._terms import TermsForm

__all__ = [
    "GRID_MAX",
    "BlanketEntry",
    "Coded",
    "CustomerForm",
    "Entry",
    "GroupForm",
    "HeadForm",
    "KitEntry",
    "MassForm",
    "PriceForm",
    "PriceListForm",
    "PromotionForm",
    "Row",
    "ServingForm",
    "SetAsideForm",
    "TermsForm",
    "ended",
    "typed",
    "worded",
]
