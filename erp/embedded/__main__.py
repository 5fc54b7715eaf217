"""`python -m erp.embedded <server> <folder> [--forgetful]`: the keeper of one server."""

import sys
from pathlib import Path

from erp.embedded.environment import SERVERS
from erp.embedded.keeper import Keeper


def main(arguments: list[str]) -> None:
    name, folder, *rest = arguments
    Keeper(SERVERS[name](Path(folder), durable="--forgetful" not in rest)).run()


if __name__ == "__main__":
    main(sys.argv[1:])
