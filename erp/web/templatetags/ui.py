"""Components for pages: amounts, times, states, tiles, bars, tables. Recipe: add-a-page.md."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from lucide import IconDoesNotExist, _render_icon

from erp.web import regional
from erp.web.rules.clocks import DAY, NOW_SECONDS, RELATIVE_DAYS, span, spent_percent, urgency
from erp.web.rules.tones import SEVERITIES, state_label, state_tone
from erp.web.templatetags import figures

register = template.Library()
register.filters.update(figures.register.filters)  # one {% load ui %} is enough
COMPONENTS = "components/"


def pick(item: Any, name: str, default: Any = None) -> Any:
    """Read `name` from a dict or an object: apps below know no class of ours."""
    found = item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)
    return default if found is None else found


# -- icons, numbers ------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """Draw a lucide icon that says nothing to a screen reader; a name that is wrong draws a dot."""
    return _drawn(str(name), int(size))


@cache
def _drawn(name: str, size: int) -> SafeString:
    hidden = {"aria-hidden": "true", "focusable": "false"}
    try:
        drawn = _render_icon(name, size, **hidden)
    except IconDoesNotExist:
        drawn = _render_icon("dot", size, **hidden)
    return mark_safe(drawn)  # noqa: S308  out of an installed package, no input in it


# -- time ----------------------------------------------------------------------------------------


def ago(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    if abs(seconds) < NOW_SECONDS:
        return _("just now")
    if abs(seconds) > RELATIVE_DAYS * DAY:
        return date_format(timezone.localtime(moment), "j M Y")
    if seconds > 0:
        return _("%(span)s ago") % {"span": span(seconds)}
    return _("in %(span)s") % {"span": span(seconds)}


@register.filter
def when(value: Any, style: str = "relative") -> str:
    """Write a moment or a day as a `<time>`; style: relative, both, absolute, time, date.

    Relative text stays true while the page is open: the browser rewrites it.
    """
    if not value:
        return regional.NOTHING
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), _day(value))
    local = timezone.localtime(value)
    absolute = f"{_day(local.date())} {local:%H:%M}"
    shown = {"absolute": absolute, "time": f"{local:%H:%M}", "date": _day(local.date())}.get(style)
    if shown:
        return format_html(
            '<time datetime="{}" title="{}">{}</time>', value.isoformat(), absolute, shown
        )
    relative = format_html(
        '<time datetime="{}" title="{} {}" data-relative>{}</time>',
        value.astimezone(UTC).isoformat(),
        absolute,
        local.tzname(),
        ago(value, timezone.now()),
    )
    return (
        format_html('{} <small class="muted">{}</small>', relative, absolute)
        if style == ("both")
        else relative
    )


def _day(day: date) -> str:
    this_year = day.year == timezone.localdate().year
    return date_format(day, "j M" if this_year else "j M Y")


@register.simple_tag
def clock(due_at: datetime | None, started_at: datetime | None = None, done: Any = None) -> str:
    """Show the time left until `due_at` and, from `started_at`, how much of it is spent."""
    if not due_at:
        return regional.NOTHING
    if done:
        return format_html('<span class="clock tone-ok">{}<i class="w-100"></i></span>', _("met"))
    now, started = timezone.now(), started_at or due_at - timedelta(days=1)
    left, spent = (due_at - now).total_seconds(), spent_percent(started, due_at, now)
    text = _("%(span)s left") if left >= 0 else _("%(span)s late")
    return format_html(
        '<span class="clock tone-{}" data-due="{}" data-from="{}" title="{}">'
        '<span>{}</span><i class="w-{}"></i></span>',
        urgency(left, spent),
        due_at.isoformat(),
        started.isoformat(),
        date_format(timezone.localtime(due_at), "j M Y H:i"),
        text % {"span": span(left)},
        spent,
    )


# -- chips ---------------------------------------------------------------------------------------


@register.filter(name="state")
def state_chip(value: Any, label: str = "") -> str:
    """Show a document's state as a chip; colour and words follow from its name."""
    name = str(getattr(value, "value", value) or "")
    return chip(label or state_label(name), state_tone(name)) if name else regional.NOTHING


@register.filter(name="severity")
def severity_chip(value: Any) -> str:
    """Show a severity, 1 (worst) to 4, or "S1" to "S4", as a chip."""
    level = str(value or "").upper().removeprefix("S")
    return chip(f"S{level}", SEVERITIES.get(level, "")) if level else regional.NOTHING


@register.simple_tag
def chip(label: str, tone: str = "") -> SafeString:
    """Show words as a chip; tone: s1 (bad), s2, s3, ok, now, or nothing."""
    return format_html('<span class="chip {}">{}</span>', tone, label)


# -- tiles, bars, steps, timeline ----------------------------------------------------------------


@register.inclusion_tag(COMPONENTS + "tile.html")
def tile(
    label: str,
    value: Any,
    note: str = "",
    href: str = "",
    trend: str = "",
    tone: str = "",
    spark: Any = None,
) -> dict[str, Any]:
    """Show one figure; `trend` stands before the note, `tone` up or down colours it.

    `spark` is a list of values drawn as a small line.
    """
    return {
        "label": label, "value": value, "note": note, "href": href, "trend": trend, "tone": tone,
        "spark": spark,
    }  # fmt: skip


@register.inclusion_tag(COMPONENTS + "bars.html")
def bars(
    rows: Iterable[Any], tone: str = "accent", label: str = "", currency: str = ""
) -> dict[str, Any]:
    """Show horizontal bars; a row has `label`, `value`, maybe `text`, `href`, `tone`, `share`.

    `share` (0 to 1) sets the length, else the largest value is longest. `currency` writes amounts.
    """
    write = partial(regional.amount, currency=currency) if currency else regional.quantity
    drawn, sized = [], [(row, abs(Decimal(str(pick(row, "value", 0))))) for row in rows]
    largest = max((value for _row, value in sized), default=Decimal(0))
    for row, value in sized:
        share = pick(row, "share")
        length = Decimal(str(share)) if share is not None else value / largest if largest else 0
        drawn.append({
            "label": pick(row, "label", ""),
            "text": pick(row, "text", write(pick(row, "value", 0))),
            "href": pick(row, "href", ""),
            "tone": pick(row, "tone", tone),
            "width": max(0, min(100, round(length * 100))) or (1 if value else 0),
        })  # fmt: skip
    return {"rows": drawn, "tone": tone, "label": label}


@register.inclusion_tag(COMPONENTS + "steps.html")
def steps(items: Iterable[Any]) -> dict[str, Any]:
    """Show a document's way; an item has `label`, `state` (done, now, bad, "") and maybe `note`."""
    return {"items": list(items)}


@register.inclusion_tag(COMPONENTS + "timeline.html")
def timeline(items: Iterable[Any]) -> dict[str, Any]:
    """Show what happened; an item has `at`, `text`, maybe `detail`, `href`, `tone` (hot, good).

    `amounts` are (words, amount, currency), written as money behind the detail.
    """
    return {"items": list(items)}


@register.inclusion_tag(COMPONENTS + "trail.html")
def trail(items: Iterable[Any]) -> dict[str, Any]:
    """Show related documents in order; an item has `label`, `href`, maybe `state` and `kind`."""
    return {"items": list(items)}


@register.inclusion_tag(COMPONENTS + "progress.html")
def progress(done: Any, total: Any, label: str = "") -> dict[str, Any]:
    whole = Decimal(str(total or 0))
    part = round(100 * Decimal(str(done or 0)) / whole) if whole else 0
    return {"done": done, "total": total, "label": label, "width": max(0, min(100, part))}


@register.inclusion_tag(COMPONENTS + "empty.html")
def empty(
    title: str, text: str = "", href: str = "", action: str = "", symbol: str = "inbox"
) -> dict[str, Any]:
    """Say that there is nothing here, and what to do about it."""
    return {"title": title, "text": text, "href": href, "action": action, "symbol": symbol}


@register.inclusion_tag(COMPONENTS + "alert.html")
def alert(text: Any, tone: str = "s1", title: str = "") -> dict[str, Any]:
    """Show a refusal or a notice; draws nothing when `text` is empty."""
    return {"text": text, "tone": tone, "title": title}


@register.inclusion_tag(COMPONENTS + "confirm.html", takes_context=True)
def confirm(
    context: template.Context,
    name: str,
    title: str,
    action: str,
    text: str = "",
    button: str = "Confirm",
    tone: str = "primary",
    reason: str = "",
) -> dict[str, Any]:
    """Place a dialog that posts to `action`; open it with `<button data-dialog="name">`.

    `reason` is the label of a required text field, sent as `reason`; empty asks for none.
    """
    return {
        "name": name, "title": title, "action": action, "text": text, "button": button,
        "tone": tone, "reason": reason, "csrf_token": context.get("csrf_token"),
    }  # fmt: skip


# -- the address: filters, sorting, pages --------------------------------------------------------


def address(context: template.Context, **changes: Any) -> str:
    """Return this page's query with `changes` made (None or "" drops), from the first page on."""
    query: QueryDict = context["request"].GET.copy()
    query.pop("after", None)
    for key, value in changes.items():
        if value is None or value == "":
            query.pop(key, None)
        else:
            query[key] = str(value)
    return "?" + query.urlencode()


@register.simple_tag(takes_context=True)
def url_with(context: template.Context, **changes: Any) -> str:
    """Return this page's address with the named query parameters changed."""
    return address(context, **changes)


@register.inclusion_tag(COMPONENTS + "filters.html", takes_context=True)
def filters(
    context: template.Context,
    name: str,
    choices: Iterable[Any],
    label: str = "",
    most: int | None = None,
) -> dict[str, Any]:
    """Show chips that set `?name=`; a choice is (value, label) or (value, label, count).

    The chip whose value is "" is the one for no filter. A count above `most` is shown as most+.
    """
    current = context["request"].GET.get(name, "")
    drawn = [
        {
            "label": shown,
            "count": count[0] if count else None,
            "href": address(context, **{name: value}),
            "current": str(value) == current,
        }
        for value, shown, *count in choices
    ]
    return {"choices": drawn, "label": label or name, "most": most}


@register.simple_tag(takes_context=True)
def sort_header(
    context: template.Context, label: str, name: str, numeric: bool = False
) -> SafeString:
    """Draw a `<th>` that sorts by `?sort=name`, and by `-name` when pressed again."""
    current = context["request"].GET.get("sort", "")
    order = {name: "ascending", f"-{name}": "descending"}.get(current, "")
    href = address(context, sort=f"-{name}" if current == name else name)
    mark = {"ascending": " ↑", "descending": " ↓"}.get(order, "")
    return format_html(
        '<th scope="col" data-col="{}"{}{}><a href="{}">{}{}</a></th>',
        name,
        mark_safe(' class="num"') if numeric else "",
        format_html(' aria-sort="{}"', order) if order else "",
        href,
        label,
        mark,
    )


@register.inclusion_tag(COMPONENTS + "pager.html", takes_context=True)
def pager(context: template.Context, next_cursor: Any = "", shown: Any = None) -> dict[str, Any]:
    """Show the way to the next page (`?after=<cursor>`) and back to the first one."""
    request = context["request"]
    query = request.GET.copy()
    query["after"] = str(next_cursor or "")
    return {
        "next": "?" + query.urlencode() if next_cursor else "",
        "first": address(context) if request.GET.get("after") else "",
        "shown": shown,
    }


# -- forms ---------------------------------------------------------------------------------------


@register.inclusion_tag(COMPONENTS + "field.html")
def field(bound: BoundField, label: str = "", help: str = "") -> dict[str, Any]:  # noqa: A002
    """Draw a form field with its label, help and errors."""
    return {
        "field": bound,
        "label": label or bound.label,
        "help": help or bound.help_text,
        "check": isinstance(bound.field.widget, CheckboxInput),
    }


@register.inclusion_tag(COMPONENTS + "form_errors.html")
def form_errors(form: Any) -> dict[str, Any]:
    """Say above a form what stops it, each fault a link to its field."""
    return {"form": form}


@register.simple_tag
def once() -> SafeString:
    """Place the hidden token by which a form sent twice does its work once."""
    return format_html('<input type="hidden" name="idempotency_key" value="{}">', uuid.uuid4())
