"""exceptions/services/_attaching.py"""

from datetime import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from erp.accounts.models import Entity
from exceptions.models import CaseAttachment
from exceptions.services import BadFile, attach
from exceptions.services._attaching import SIZE_MAX
from tests.exceptions import factories


def test_keeps_a_file_once_and_gives_it_back_as_it_came(
    entity: Entity, now: datetime, client: Client
) -> None:
    lee = factories.person("lee", "planner")
    case = factories.shortage_case()
    client.force_login(lee)
    address = reverse("exceptions:attach", args=[case.pk])

    for _ in range(2):
        client.post(address, {"file": SimpleUploadedFile("../<b>note</b>.html", b"<script>")})

    kept = CaseAttachment.objects.get()
    assert (kept.name, kept.size) == ("b>.html", 8)
    got = client.get(reverse("exceptions:file", args=[case.pk, kept.pk]))
    assert got.content == b"<script>"
    assert got["Content-Type"] == "application/octet-stream"
    assert got["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    ("name", "content"), [("", b"x"), ("a.txt", b""), ("a.txt", b"x" * (SIZE_MAX + 1))]
)
def test_refuses_what_is_no_file(name: str, content: bytes, entity: Entity, now: datetime) -> None:
    lee = factories.person("lee", "planner")
    case = factories.shortage_case()

    with pytest.raises(BadFile):
        attach(case_id=case.pk, name=name, content=content, actor=lee, now=now)

    assert not CaseAttachment.objects.exists()


def test_of_another_company_is_not_there(entity: Entity, now: datetime, client: Client) -> None:
    lee = factories.person("lee", "planner")
    case = factories.shortage_case()
    kept = attach(case_id=case.pk, name="a.txt", content=b"x", actor=lee, now=now)
    client.force_login(factories.person("zoe", "planner", entity=factories.company("DE01")))

    assert client.get(reverse("exceptions:file", args=[case.pk, kept.pk])).status_code == 404
