"""Whether the law lets the order go: export control by line, certificates, denied parties."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from erp.kernel.sql import rows
from orders.models import Hold
from orders.rules.exporting import Ruling
from orders.services._checking._case import Case, Finding, Stop, ask
from orders.services._exporting import Found, Gap, rule_on_exports
from orders.services._screening import Standing, screen_orders

POLICY = "orders.release.compliance"
SHOWN_MAX = 50  # findings that a hold shows

LET_GO = """
    SELECT order_id, max(lifted_at) FROM orders_hold
    WHERE order_id = ANY(%(orders)s) AND kind = 'compliance' AND state = 'lifted'
      AND lifted_by_id IS NOT NULL
    GROUP BY order_id
"""


def check_compliance(cases: Sequence[Case], now: datetime, *, exports: bool = True) -> Finding:
    """Ask of each order that any rule touches if it may go.

    Lines take what they need of licences in turn, so orders racing for the rest of one pass one
    after the other: the licences stay locked. Only what is released keeps its part. An order that
    nothing touches is not asked about; two queries where no rule and no list is kept. Without
    `exports` only parties are looked at.
    """
    ids = [case.id for case in cases]
    standing = screen_orders(ids, now)
    found = rule_on_exports(ids, now) if exports else Found()
    ruled = {r.line.order_id for r in found.rulings}
    touched = ruled | {g.line.order_id for g in found.gaps}
    asked = [case for case in cases if case.id in touched or case.id in standing]
    if not asked:
        return Finding()
    facts = [_facts(case, found, standing.get(case.id, ())) for case in asked]
    answers = ask(POLICY, asked, facts)
    stops = []
    for case, answer, said in zip(asked, answers, facts, strict=True):
        if answer.decision.outcome["hold"]:
            receipt = _receipt(case, found, standing.get(case.id, ()))
            stop = Stop.by(
                answer.decision, case, Hold.Kind.COMPLIANCE.value, said | {"receipt": receipt}
            )
            stops.append(_telling(stop, receipt))
    return Finding(stops, answers, ruled=ruled)


def check_compliance_again(
    cases: Sequence[Case], now: datetime, *, exports: bool = True
) -> Finding:
    """Ask as `check_compliance` does, when held orders go on: a licence may be used up by now.

    Whom the owner let go is not stopped again, unless a match was found since.
    """
    finding = check_compliance(cases, now, exports=exports)
    if not finding.stops:
        return finding
    kind = Hold.Kind.COMPLIANCE.value
    good = [stop.case.id for stop in finding.stops if kind in stop.case.lifted_holds]
    let_go = dict(rows(LET_GO, {"orders": good})) if good else {}
    if not let_go:
        return finding
    standing = screen_orders(list(let_go), now)
    stops = [
        stop
        for stop in finding.stops
        if stop.case.id not in let_go
        or any(each.found_at > let_go[stop.case.id] for each in standing.get(stop.case.id, ()))
    ]
    return Finding(stops, finding.answers, ruled=finding.ruled)


def _facts(case: Case, found: Found, standing: Sequence[Standing]) -> dict[str, Any]:
    rulings = [ruling for ruling in found.rulings if ruling.line.order_id == case.id]
    gaps = [gap for gap in found.gaps if gap.line.order_id == case.id]
    return {
        "embargoed": sum(r.outcome == "embargoed" for r in rulings),
        "without_exception": sum(r.outcome == "no_exception" for r in rulings),
        "without_licence": sum(r.outcome == "no_licence" for r in rulings),
        "without_certificate": sum(g.kind == "certificate" for g in gaps),
        "unknown_countries": sum(g.kind == "country" for g in gaps) if rulings or gaps else 0,
        "matches_open": sum(s.state == "open" for s in standing),
        "matches_confirmed": sum(s.state == "confirmed" for s in standing),
        "tier": case.tier,
        "channel": case.channel,
        "total": case.total,
        "findings": "\n".join(_lines(rulings, gaps, standing))[:4000],
    }


def _lines(
    rulings: Sequence[Ruling], gaps: Sequence[Gap], standing: Sequence[Standing]
) -> list[str]:
    """Return the receipt in words: which restriction, which exception, which licence."""
    said = [f"{each.said}: {each.state}" for each in standing]
    said += [f"line {gap.line.position}: {gap.missing}" for gap in gaps]
    for ruling in rulings:
        by = ruling.missing or " · ".join(
            filter(
                None,
                [
                    ruling.restriction.code,
                    f"exception {ruling.waiver.code}" if ruling.waiver else "",
                    f"licence {ruling.licence.number}" if ruling.licence else "",
                ],
            )
        )
        said.append(f"line {ruling.line.position} ({ruling.line.product}): {by}")
    return said


def _receipt(case: Case, found: Found, standing: Sequence[Standing]) -> list[Mapping[str, Any]]:
    parties: list[Mapping[str, Any]] = [
        {"outcome": f"match_{each.state}", "missing": f"{each.said}."} for each in standing
    ]
    gaps: list[Mapping[str, Any]] = [
        {
            "line": gap.line.position,
            "product": gap.line.product,
            "outcome": f"no_{gap.kind}",
            "missing": gap.missing,
        }
        for gap in found.gaps
        if gap.line.order_id == case.id
    ]
    rulings: list[Mapping[str, Any]] = [
        {
            "line": ruling.line.position,
            "product": ruling.line.product,
            "outcome": ruling.outcome,
            "restriction": ruling.restriction.code,
            "exception": ruling.waiver.code if ruling.waiver else "",
            "licence": ruling.licence.number if ruling.licence else "",
            "missing": ruling.missing,
        }
        for ruling in found.rulings
        if ruling.line.order_id == case.id
    ]
    return [*parties, *gaps, *rulings][:SHOWN_MAX]


def _telling(stop: Stop, receipt: Sequence[Mapping[str, Any]]) -> Stop:
    """Add to the policy's reason what is missing first."""
    missing = next((str(each["missing"]) for each in receipt if each["missing"]), "")
    reason = f"{stop.reason} {missing}".strip()
    return Stop(stop.case, stop.kind, stop.owner_role, reason, stop.policy_version, stop.facts)
