from erp.accounts.models.entity import Entity, NumberSeries
from erp.accounts.models.user import ApiKey, Role, RoleAssignment, User

__all__ = ["ApiKey", "Entity", "NumberSeries", "Role", "RoleAssignment", "User"]
