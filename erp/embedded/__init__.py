"""The servers that Crossdock brings along: PostgreSQL and Valkey, out of installed wheels.

    users (manage.py, pytest, `up`)          keeper, one a server              server
    hold a shared lock on users.lock   ->    started by the first user   ->    postgres / valkey
    ensure() starts a lost keeper            restarts a dead server            dies with its keeper
                                             ends once nobody holds the lock

A user that is killed lets go of its lock like one that ends well, so that no server outlives its
last user and none is taken from under another's feet. No module here but the commands needs Django.
"""

from erp.embedded.environment import data_folder, provide, withdraw
from erp.embedded.lease import Lease, ServerUnavailable

__all__ = ["Lease", "ServerUnavailable", "data_folder", "provide", "withdraw"]
