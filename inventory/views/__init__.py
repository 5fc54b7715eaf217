"""The pages of stock, and of the bins it lies in."""

from inventory.views._bins import (
    accept_put_away,
    bin_page,
    bins,
    bring_down,
    edit_bin,
    move_out_of_bin,
    put_away,
)
from inventory.views._calendars import calendar, calendar_list, change_followers, write_calendar
from inventory.views._serials import serial, serials
from inventory.views._stock import (
    allocation,
    change_lot,
    finder,
    health,
    lot,
    lots,
    moves,
    product,
    products,
    projection,
    run,
    stock,
)
from inventory.views._substitutes import drop_pair, substitutes

__all__ = [
    "accept_put_away",
    "allocation",
    "bin_page",
    "bins",
    "bring_down",
    "calendar",
    "calendar_list",
    "change_followers",
    "change_lot",
    "drop_pair",
    "edit_bin",
    "finder",
    "health",
    "lot",
    "lots",
    "move_out_of_bin",
    "moves",
    "product",
    "products",
    "projection",
    "put_away",
    "run",
    "serial",
    "serials",
    "stock",
    "substitutes",
    "write_calendar",
]
