"""The left navigation as data: who sees an item follows from the page behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.translation import gettext_lazy as _

from erp.web.counts import cached_counts
from erp.web.selectors import COUNTED

HIDDEN = "-"  # a page that names no permission is not offered


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the navigation. `url` is a url name; the item is left out while it has no page.

    `permission` overrides what the page's own view requires.
    """

    label: Any
    icon: str
    url: str
    permission: str | None = None
    hot: bool = False


GROUPS: list[tuple[Any, list[Item]]] = [
    (_("Work"), [
        Item(_("My day"), "sun", "web:home"),
        Item(_("Exceptions"), "siren", "exceptions:queue", hot=True),
        Item(_("Approvals"), "stamp", "governance:approvals"),
        Item(_("Orders"), "shopping-cart", "orders:board"),
        Item(_("Holds"), "octagon-pause", "orders:holds"),
        Item(_("Quotes"), "file-pen", "orders:quotes"),
        Item(_("Blanket orders"), "calendar-clock", "orders:blankets"),
        Item(_("Customers"), "users", "orders:customers"),
        Item(_("Prices"), "tags", "orders:prices"),
        Item(_("Kits"), "package-plus", "orders:kits"),
        Item(_("Returns"), "undo-2", "orders:returns"),
        Item(_("Allocation"), "split", "orders:allocation"),
        Item(_("Workbench"), "arrow-down-up", "orders:workbench"),
        Item(_("Commitments"), "handshake", "orders:commitments"),
        Item(_("Set aside"), "bookmark", "orders:set_asides"),
        Item(_("Substitutions"), "repeat-2", "orders:substitutions"),
        Item(_("Protected stock"), "lock", "orders:protection"),
        Item(_("Compliance"), "shield-check", "orders:compliance"),
    ]),
    (_("Supply"), [
        Item(_("Inventory"), "boxes", "inventory:stock"),
        Item(_("Inventory health"), "heart-pulse", "inventory:health"),
        Item(_("Lots"), "calendar-clock", "inventory:lots"),
        Item(_("Serial numbers"), "hash", "inventory:serials"),
        Item(_("Products"), "package-search", "inventory:products"),
        Item(_("Availability"), "calendar-search", "inventory:finder"),
        Item(_("Calendars"), "calendar-days", "inventory:calendars"),
        Item(_("Purchasing"), "clipboard-list", "procurement:board"),
        Item(_("Suppliers"), "factory", "procurement:suppliers"),
        Item(_("Allocation runs"), "git-fork", "inventory:allocation"),
        Item(_("Transfers"), "arrow-left-right", "finance:transfers"),
    ]),
    (_("Floor"), [
        Item(_("Receiving"), "package-open", "finance:receiving"),
        Item(_("Put away"), "package-check", "inventory:put_away"),
        Item(_("Pick & pack"), "hand", "finance:picking"),
        Item(_("Shipments"), "truck", "finance:shipments"),
        Item(_("Bins"), "warehouse", "inventory:bins"),
        Item(_("Counts"), "list-checks", "finance:counts"),
        Item(_("Corrections"), "scale", "finance:corrections"),
    ]),
    (_("Money"), [
        Item(_("Invoices"), "receipt", "finance:invoices"),
        Item(_("Payments"), "banknote", "finance:payments"),
        Item(_("Supplier bills"), "file-check", "finance:bills"),
        Item(_("Disputes"), "scale", "finance:disputes"),
        Item(_("Ledger"), "book-open", "finance:ledger"),
        Item(_("Close"), "lock", "finance:periods"),
    ]),
    (_("Insight"), [
        Item(_("Control tower"), "radar", "insight:tower"),
        Item(_("KPIs"), "chart-line", "insight:kpis"),
        Item(_("Policies"), "workflow", "governance:policies"),
        Item(_("Duties"), "scale", "governance:duties"),
        Item(_("Audit"), "scroll-text", "governance:audit"),
        Item(_("Imports"), "file-up", "partners:imports"),
        Item(_("Webhooks"), "webhook", "partners:webhooks"),
    ]),
]  # fmt: skip


NOTICES = Item(_("Notices"), "bell", "exceptions:notices", hot=True)
OPEN, KEPT = "navigation_items", "navigation_counts"


@dataclass(frozen=True, slots=True)
class Line:
    """One navigation line as drawn for one person."""

    label: str
    icon: str
    href: str
    current: bool
    hot: bool
    count: int | None


@cache
def page_of(url_name: str) -> tuple[str, str] | None:
    """Return the address of a url name and the permission its view requires, if it exists."""
    try:
        href = reverse(url_name)
    except NoReverseMatch:
        return None
    view: Callable[..., Any] = resolve(href).func
    return href, getattr(view, "required_permission", HIDDEN)


def may_open(request: HttpRequest, item: Item) -> str | None:
    """Return the item's address if there is such a page and this person may open it."""
    page = page_of(item.url)
    if page is None or not request.user.is_authenticated:
        return None
    permission = page[1] if item.permission is None else item.permission
    if permission == HIDDEN:
        return None
    return page[0] if not permission or request.user.has_perm(permission) else None


def open_items(request: HttpRequest) -> list[tuple[str, list[tuple[Item, str]]]]:
    """Return the groups with the items this person may open, each with its address.

    Found once for a request: the navigation, its counts, the bell and the palette ask for them.
    """
    kept: list[tuple[str, list[tuple[Item, str]]]] | None = vars(request).get(OPEN)
    if kept is None:
        kept = vars(request)[OPEN] = []
        for name, items in GROUPS:
            offered = [(item, href) for item in items if (href := may_open(request, item))]
            if offered:
                kept.append((str(name), offered))
    return kept


def counts_of(request: HttpRequest) -> dict[str, int]:
    """Return how much waits behind the items and the bell of a page. At most one read of the cache.

    Read once for a request, however many parts of the page show some of it.
    """
    kept: dict[str, int] | None = vars(request).get(KEPT)
    if kept is None:
        offered = [item.url for _name, items in open_items(request) for item, _href in items]
        names = [name for name in [*offered, NOTICES.url] if name in COUNTED]
        kept = vars(request)[KEPT] = cached_counts(request, names)
    return kept


def bell(request: HttpRequest) -> Line | None:
    """Return the way to what this person was told, with how much is unread; None without one."""
    href = may_open(request, NOTICES)
    if href is None:
        return None
    unread = counts_of(request).get(NOTICES.url)
    is_here = request.path == href
    return Line(str(NOTICES.label), NOTICES.icon, href, is_here, NOTICES.hot, unread)


def navigation(request: HttpRequest) -> list[tuple[str, list[Line]]]:
    """Return what to draw on the left, with counts: at most one read of the cache.

    The line whose address is the longest beginning of this page's is the current one.
    """
    groups = open_items(request)
    offered = [pair for _name, pairs in groups for pair in pairs]
    counts = counts_of(request)
    here = max(
        (href for _item, href in offered if _is_above(href, request.path)), key=len, default=""
    )
    return [
        (
            name,
            [
                Line(str(i.label), i.icon, href, href == here, i.hot, counts.get(i.url))
                for i, href in pairs
            ],
        )
        for name, pairs in groups
    ]


def _is_above(href: str, path: str) -> bool:
    return path == href or (href != "/" and path.startswith(href))
