"""Every page that the navigation offers, for every role of the demo."""

import re

import pytest
from django.core.management import call_command
from django.test import Client

from erp.accounts.models import Role, User

LINK = re.compile(r'(?:href|data-href|hx-get)="([^"#]+)"')
FIRST_OF_A_KIND = 1
LEFT_OUT = ("/static/", "/admin/", "/logout/", "/events/", "/api/")


def addresses(page: str, of: str) -> list[str]:
    found = [link.replace("&amp;", "&") for link in LINK.findall(page)]
    found = [of.partition("?")[0] + link if link.startswith("?") else link for link in found]
    return [link for link in found if link.startswith("/") and not link.startswith(LEFT_OUT)]


def shape(link: str) -> str:
    """Return what kind of page an address is: records of one kind have one."""
    return re.sub(r"[^/?&=]*[0-9][^/?&=]*", "#", link)


def broken(client: Client, asked: set[str]) -> list[str]:
    """Walk what the navigation offers and one record of each kind from there; return the errors.

    What a page is asked for (a filter, an order of rows) is walked by the first role that may:
    `asked` is what roles before walked.
    """
    start = client.get("/")
    offered = addresses(start.content.decode(), "/")
    todo = [(link, "/") for link in dict.fromkeys(offered)]
    seen: dict[str, int] = {}
    failed = []
    while todo:
        link, source = todo.pop(0)
        kind = shape(link)
        if seen.get(kind, 0) >= FIRST_OF_A_KIND or ("?" in kind and kind in asked):
            continue
        seen[kind] = seen.get(kind, 0) + 1
        asked.add(kind)
        answer = client.get(link)
        if answer.status_code >= 400:
            failed.append(f"{answer.status_code} {link} from {source}")
        elif source == "/" and "html" in answer.headers["Content-Type"]:
            todo += [(each, link) for each in addresses(answer.content.decode(), link)]
    assert len(seen) > len(set(map(shape, offered)))
    return failed


@pytest.mark.django_db
def test_no_page_is_broken_or_forbidden_that_is_offered() -> None:
    call_command("demo", scale=0.03)
    roles = [role for role in Role.values if User.objects.filter(username=role).exists()]
    found: dict[str, list[str]] = {}
    asked: set[str] = set()

    for role in roles:
        client = Client()
        client.force_login(User.objects.get(username=role))
        found[role] = broken(client, asked)

    assert len(roles) >= 14
    assert {role: errors for role, errors in found.items() if errors} == {}
