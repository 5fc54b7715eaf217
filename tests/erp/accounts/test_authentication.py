"""erp/accounts/authentication.py, erp/accounts/services/_keys.py"""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed  # noqa: TID251  its root is what counts
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from erp.accounts.authentication import ApiKeyAuthentication
from erp.accounts.models import ApiKey, Entity, User
from erp.accounts.services import issue_key, revoke_key
from tests.conftest import grant

pytestmark = pytest.mark.django_db
VIEW = "accounts.view_entity"
CHANGE = "accounts.change_entity"


def sign_in(key: str, scheme: str = "Bearer") -> tuple[User, ApiKey] | None:
    request = APIRequestFactory().get("/", headers={"Authorization": f"{scheme} {key}"})
    return ApiKeyAuthentication().authenticate(Request(request))


def key_of(user: User, *scopes: str, days: int = 1) -> str:
    expires_at = timezone.now() + timedelta(days=days)
    return issue_key(user=user, name="shop", scopes=scopes, expires_at=expires_at)


class TestApiKeyAuthentication:
    def test_a_key_is_its_user(self, clerk: User) -> None:
        signed_in = sign_in(key_of(clerk))

        assert signed_in is not None
        assert signed_in[0] == clerk
        assert ApiKey.objects.get().last_used_at is not None

    def test_only_its_hash_is_kept(self, clerk: User) -> None:
        key = key_of(clerk)

        kept = ApiKey.objects.get()
        assert key.startswith(f"{kept.prefix}.")
        assert key not in str(vars(kept))

    def test_another_scheme_is_left_to_others(self, clerk: User) -> None:
        assert sign_in(key_of(clerk), scheme="Basic") is None

    @pytest.mark.parametrize("key", ["", "x", "x.y", "cd_0000000000.z", "é", "a\0b", "x" * 5_000])
    def test_an_unknown_key_is_refused(self, clerk: User, key: str) -> None:
        with pytest.raises(AuthenticationFailed):
            sign_in(key)

    def test_a_wrong_secret_is_refused(self, clerk: User) -> None:
        with pytest.raises(AuthenticationFailed):
            sign_in(key_of(clerk)[:-1] + "-")

    def test_an_expired_key_is_refused(self, clerk: User) -> None:
        with pytest.raises(AuthenticationFailed):
            sign_in(key_of(clerk, days=-1))

    def test_a_revoked_key_is_refused(self, clerk: User) -> None:
        key = key_of(clerk)
        now = timezone.now()
        revoke_key(key_id=ApiKey.objects.get().pk, now=now)
        revoke_key(key_id=ApiKey.objects.get().pk, now=now + timedelta(days=1))

        assert ApiKey.objects.get().revoked_at == now
        with pytest.raises(AuthenticationFailed):
            sign_in(key)

    def test_the_key_of_somebody_who_left_is_refused(self, clerk: User) -> None:
        key = key_of(clerk)
        User.objects.filter(pk=clerk.pk).update(is_active=False)

        with pytest.raises(AuthenticationFailed):
            sign_in(key)

    def test_using_it_often_writes_seldom(self, clerk: User, django_assert_num_queries) -> None:
        key = key_of(clerk)
        sign_in(key)

        with django_assert_num_queries(1):
            sign_in(key)


class TestScopes:
    def test_they_narrow_what_the_user_may(self, clerk: User, entity: Entity) -> None:
        grant(clerk, VIEW, entity)
        grant(clerk, CHANGE, entity)

        user, _ = sign_in(key_of(clerk, VIEW)) or (None, None)

        assert user is not None
        assert user.has_perm(VIEW)
        assert user.has_perm(VIEW, entity)
        assert not user.has_perm(CHANGE)
        assert user.entity_ids(CHANGE) == frozenset()

    def test_they_widen_nothing(self, clerk: User, entity: Entity) -> None:
        user, _ = sign_in(key_of(clerk, VIEW)) or (None, None)

        assert user is not None
        assert not user.has_perm(VIEW)

    def test_they_narrow_a_superuser_too(self, entity: Entity) -> None:
        root = User.objects.create_superuser("root")

        user, _ = sign_in(key_of(root, VIEW)) or (None, None)

        assert user is not None
        assert user.entity_ids(VIEW) == {entity.pk}
        assert not user.has_perm(CHANGE)
        assert user.entity_ids(CHANGE) == frozenset()
