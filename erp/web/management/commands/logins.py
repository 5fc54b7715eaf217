from typing import Any

from django.core.management.base import BaseCommand

from erp.accounts.models import User
from erp.web.demo.founding import ADMIN, PASSWORD, PEOPLE


class Command(BaseCommand):
    """Prints the logins of the demo company, one a role; nothing where there is no demo."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        names = [role.value for role in PEOPLE]
        there = {u.username: u for u in User.objects.filter(username__in=[*names, ADMIN])}
        demo = [u for name in [*names, ADMIN] if (u := there.get(name))]
        shown = [u for u in demo if u.check_password(PASSWORD)]
        for user in shown:
            print(f"  {user.username:<18} {PASSWORD}   {user}")
