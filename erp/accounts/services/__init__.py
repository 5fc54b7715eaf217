"""Everything that changes accounts."""

from erp.accounts.services._keys import issue_key, revoke_key
from erp.accounts.services._numbering import take_numbers
from erp.accounts.services._people import assign_role, change_profile, create_entity, create_user

__all__ = [
    "assign_role",
    "change_profile",
    "create_entity",
    "create_user",
    "issue_key",
    "revoke_key",
    "take_numbers",
]
