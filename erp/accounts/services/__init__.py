"""Everything that changes accounts."""

from erp.accounts.services._companies import EntityExists, change_entity, open_entity
from erp.accounts.services._keys import issue_key, revoke_key
from erp.accounts.services._numbering import take_numbers
from erp.accounts.services._people import assign_role, change_profile, create_entity, create_user

__all__ = [
    "EntityExists",
    "assign_role",
    "change_entity",
    "change_profile",
    "create_entity",
    "create_user",
    "issue_key",
    "open_entity",
    "revoke_key",
    "take_numbers",
]
