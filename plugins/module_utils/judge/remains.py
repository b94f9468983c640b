# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is left where no host may simply become the master: data that may not be mounted, and last copies. Pure."""

from __future__ import annotations

from ..values import places
from ..values.command import playbook
from . import topology


def unmounted(observations: topology.Observations) -> list[str]:
    """Return the hosts without data whose file system may only not be mounted.

    A host that has never had a server's data has not been told to ask other hosts before a start.
    """
    return [
        name
        for name, seen in observations.items()
        if topology.kind(seen) == topology.EMPTY
        and not seen["data_directory"]["removed_on_purpose"]
        and _had_data(seen)
    ]


def _had_data(seen: topology.Observation) -> bool:
    program = seen["programs"].get("interlock")
    return bool(program and program["settings"])


def mount(names: list[str]) -> str:
    """Return what brings data into sight that may only not be mounted."""
    return f"if the data of {' or '.join(names)} is on a file system that is not mounted, mount it there"


def may_start(seen: topology.Observation) -> bool:
    """Whether a host holds a stopped master's data that is whole."""
    return topology.kind(seen) == topology.STOPPED and not seen["data_directory"]["unfinished"]


def half_way(observations: topology.Observations) -> list[str]:
    """Return the hosts that a resynchronisation has left half-way: no server can use such data."""
    return [
        name
        for name, seen in observations.items()
        if topology.kind(seen) != topology.UNREACHABLE and seen["data_directory"]["unfinished"]
    ]


def aside(observations: topology.Observations) -> list[str]:
    """Return the whole standbys that must not take over by themselves, those with the newest data first.

    They were removed, or are former masters that have not followed another one since.
    """
    return [
        name
        for name in topology.newest(observations)
        if topology.kind(observations[name]) in topology.STANDBYS
        and topology.is_fenced(observations[name])
        and not observations[name]["data_directory"]["unfinished"]
    ]


def way(observations: topology.Observations) -> str | None:
    """Return how to go on where nothing can become the master as it is; None where something may, or nothing was."""
    hidden, kept, broken = unmounted(observations), aside(observations), half_way(observations)
    bare = [name for name, seen in observations.items() if topology.kind(seen) in (topology.EMPTY, topology.OTHER)]
    if len({*bare, *kept, *broken}) < len(observations) or not (hidden or kept or broken):
        return None
    look = f"then look again: {playbook('state')}"
    first = [f"{mount(hidden)}, {look}"] if hidden else []
    return ". ".join(each[0].upper() + each[1:] for each in [*first, _otherwise(observations, bool(hidden))])


def _otherwise(observations: topology.Observations, hidden: bool) -> str:
    """Return what is left to decide when no data comes into sight any more."""
    kept, broken = aside(observations), half_way(observations)
    lost = "if that data is lost for good, " if hidden else ""
    if kept:
        directory = observations[kept[0]]["data_directory"]
        what = "a standby that was removed" if directory["removed"] else "a standby that is fenced"
        given_up = playbook("failover", master_is_down=True, accept_data_loss=True)
        return (
            f"{lost}{kept[0]}, {what}, has the last copy, and lacks what was committed since. To make it the master, on"
            f" {kept[0]}: rm {directory['path']}/{places.RECORD}, then: {given_up}"
        )
    away = [f"{observations[name]['data_directory']['path']} on {name} is moved away" for name in broken]
    words = [f"what {name} has was left half-way by a resynchronisation and cannot be used" for name in broken]
    found = "; ".join([*words, "nothing whole is left"])
    after = f", after {' and '.join(away)}" if away else ""
    begin = playbook("init_master", master_host=next(iter(observations)))
    return f"{lost}{found}: restore a backup, or begin anew{after}: {begin}"
