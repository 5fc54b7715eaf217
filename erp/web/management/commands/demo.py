import time
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.utils import timezone

from erp.accounts.models import Entity
from erp.outbox.delivery import drain
from erp.outbox.publishing import telling_the_past
from erp.web.demo.cases import remember_cases
from erp.web.demo.company import Company, make_company
from erp.web.demo.desks import pair_scarce_goods, sit_down
from erp.web.demo.founding import count_rows, found
from erp.web.demo.history import Past
from erp.web.demo.law import lay_down_the_law
from erp.web.demo.moving import move_and_count
from erp.web.demo.papers import write_papers
from erp.web.demo.pieces import name_pieces
from erp.web.demo.today import open_the_day

PRODUCTS, CUSTOMERS, SUPPLIERS, ORDERS_A_DAY = 2_000, 400, 60, 60
LEAST = 20
COUNTED_AFTER = (1, 8, 30)  # days of history


class Command(BaseCommand):
    """Makes the demo company: five entities, ninety days of business, and work on every desk.

    The same seed and scale make the same company. `--scale 0.1` is a tenth of everything.
    """

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="only when no entity exists")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--scale", type=float, default=1.0)

    def handle(self, *args: Any, **options: Any) -> None:
        if Entity.objects.exists():
            if not options["if_empty"]:
                print("There is a company already: the demo is made in an empty database only.")
            return
        began = time.monotonic()
        now = timezone.now()
        seed, scale = options["seed"], options["scale"]
        company = make_company(
            seed=seed,
            products=max(LEAST, round(PRODUCTS * scale)),
            customers=max(LEAST, round(CUSTOMERS * scale)),
            suppliers=max(3, round(SUPPLIERS * scale)),
        )
        with transaction.atomic():  # all of it or none: no start finds half a company
            orders = self._make(company, seed, max(2, round(ORDERS_A_DAY * scale)), now)
        drain(timezone.now, seconds=120)
        print(
            f"\rdemo company made in {time.monotonic() - began:.0f} s: {orders} orders of history"
        )

    def _make(self, company: Company, seed: int, orders_a_day: int, now: datetime) -> int:
        orders = 0
        with telling_the_past():
            entities = found(company, seed=seed, today=now.date(), now=now)
            past = Past(company, entities, seed=seed, orders_a_day=orders_a_day)
            for count, day in enumerate(past.days(now.date())):
                if count in COUNTED_AFTER:
                    count_rows()
                orders += past.run(day)
                print(f"\r{day}  {orders} orders", end="", flush=True)
        pair_scarce_goods(past, now)
        open_the_day(past, now)
        sit_down(past, now)
        move_and_count(past, now)
        write_papers(past, now)
        remember_cases(past, now)
        name_pieces(past, now)
        lay_down_the_law(past.entities, today=now.date(), now=now)
        return orders
