# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the tablespaces of a master and its standbys have their places, and room there. Pure: no I/O, no clock."""

from __future__ import annotations

from ...values.command import playbook
from ...values.observation import Observation, Space
from ...values.text import size
from .. import tablespaces
from .group import Finding, Group, finding, on
from .machine import SPARE


def findings(group: Group) -> list[Finding]:
    """Return the places that are missing, that a server cannot use, and those that are nearly full."""
    found = []
    for name, seen in group.members.items():
        found += [row for place in tablespaces.of(seen) for row in _place(group, name, seen, place)]
        if name != group.master:
            found += _yet_to_come(group, name, seen)
    return found


def _place(group: Group, name: str, seen: Observation, place: Space) -> list[Finding]:
    why, lost = tablespaces.wrong(place), place["path"] == tablespaces.lost(seen)
    missing = not place["linked"] and place["there"] == "nothing"
    if not (why or lost or missing):
        return _room(name, seen, place)
    if place["linked"]:
        what = f"where a tablespace is: {why or 'its files are gone'}: what is in it cannot be read or written"
    else:
        what = f"where a tablespace goes that {name} has yet to replay: {why or 'it is missing'}: its server ends there"
    back = group.resync(name) if name != group.master else playbook("switchover")
    command = f"{tablespaces.mend(name, seen, place)}, then: {back}" if why else str(back)
    return [finding("tablespace-place", name, f"{place['path']} on {name}, {what}", command)]


def _room(name: str, seen: Observation, place: Space) -> list[Finding]:
    """The disk of the data directory is looked at by itself."""
    low = place["free_bytes"] * SPARE < place["total_bytes"] and place["device"] != seen["data_directory"]["device"]
    if not low:
        return []
    free, verb = f"{size(place['free_bytes'])} of {size(place['total_bytes'])}", "is" if place["linked"] else "goes"
    text = f"{place['path']} on {name}, where a tablespace {verb}, has {free} free: a server whose disk is full stops"
    look = on(name, f"du -xhd1 {place['path']}")
    return [finding("disk-nearly-full", name, text, f"make room there. What is large says, {look}")]


def _yet_to_come(group: Group, name: str, seen: Observation) -> list[Finding]:
    """A standby that does not run gets WAL later which makes these, and its host was not asked for them."""
    if seen["process"]["running"]:
        return []
    own = [place["path"] for place in tablespaces.of(seen)]
    return [
        finding(
            "tablespace-place",
            name,
            f"{path}, where a tablespace of {group.master} is, must be a directory on {name} before its server comes to"
            " that",
            group.resync(name),
        )
        for path in tablespaces.to_make(seen, group.source)
        if path not in own
    ]
