"""Who gets the next case: the person with the fewest."""

from collections.abc import Mapping, Sequence

Desk = tuple[int, str]  # entity, role


def share_out(wanted: Sequence[Desk], loads: Mapping[Desk, Mapping[int, int]]) -> list[int | None]:
    """Give each wanted desk's case to its least loaded person, and count it at once.

    Args:
        loads: live cases of each person who sits at the desk. A person at several desks counts
            all of their cases at each.

    Returns:
        A person per wanted desk, None where nobody sits. Equal loads go to the lower id.
    """
    carried: dict[int, int] = {}
    for people in loads.values():
        carried.update(people)
    chosen: list[int | None] = []
    for desk in wanted:
        person = min(loads.get(desk, ()), key=lambda one: (carried[one], one), default=None)
        if person is not None:
            carried[person] += 1
        chosen.append(person)
    return chosen
