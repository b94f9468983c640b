# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the inventory means something else than what runs there: a directory, a port, or a name. Pure.

While it does, nothing else that is seen can be trusted: a master that lives would be called down. So each workflow
refuses for that alone, and the state says it instead of what would only follow from it.
"""

from __future__ import annotations

import typing as t

from ..values.clusters import MASTERS
from ..values.command import group
from ..values.observation import Hosts, Observation, Observations
from . import followers, topology
from .options import Options
from .refusal import AGAIN, Kind, Refusal, Verdict, refused

WHY = {
    "inventory-directory": "it would be taken for a host without a server, although one runs",
    "inventory-name": "that may be a misspelt name, and the host that is meant may be the master, alive",
    "inventory-port": "the other hosts would look for it where it does not listen",
}


class Fault(t.NamedTuple):
    """One value of the inventory that is not what is there."""

    kind: Kind
    host: str
    found: str
    #: which option is to be set to what; no sentence yet
    mend: str


def judged(
    judge: t.Callable[[t.Any, t.Any, t.Any], Verdict], observations: Observations, hosts: Hosts, options: Options
) -> Verdict:
    """Return the verdict of a workflow's judge, which is only asked when the inventory means what is there."""
    found = refusals(observations, hosts)
    return refused(found) if found else judge(observations, hosts, options)


def refusals(observations: Observations, hosts: Hosts) -> list[Refusal]:
    """Return a refusal for each value that is wrong."""
    return [
        Refusal(row.kind, row.found, WHY[row.kind], f"{row.mend[0].upper()}{row.mend[1:]}, {AGAIN}")
        for row in faults(observations, hosts)
    ]


def faults(observations: Observations, hosts: Hosts) -> list[Fault]:
    """Return what is wrong in the inventory, in its order."""
    found = [row for name, seen in observations.items() for row in _of_host(name, seen, observations)]
    return [*found, *_names(observations, hosts)]


def _of_host(name: str, seen: Observation, observations: Observations) -> list[Fault]:
    if topology.kind(seen) == topology.UNREACHABLE:
        return []
    if is_elsewhere(name, seen, observations):
        return [_directory(name, seen)]
    runs, port, wanted = seen["process"]["running"], seen["process"]["pidfile"].get("port"), seen["endpoint"]["port"]
    if not runs or port is None or port == wanted:
        return []
    found = (
        f"the server on {name} ({seen['data_directory']['path']}) listens on port {port}, and the inventory says"
        f" {wanted}"
    )
    return [Fault("inventory-port", name, found, f"correct server_port for {name} in the inventory: {port}")]


def is_elsewhere(name: str, seen: Observation, observations: Observations) -> bool:
    """Whether the server that is meant runs in another directory: its unit runs it, or its data is the group's."""
    there = seen.get("elsewhere")
    if not there:
        return False
    if there["unit"]:
        return True
    if seen["process"]["running"]:
        return False  # of two servers the one whose directory is named is meant
    others = [topology.system_identifier(each) for other, each in observations.items() if other != name]
    return there["system_identifier"] is not None and there["system_identifier"] in others


def _directory(name: str, seen: Observation) -> Fault:
    return Fault("inventory-directory", name, runs_from(name, seen), correct_directory(name, seen))


def runs_from(name: str, seen: Observation) -> str:
    """Return what runs on a host, and what the inventory says of that."""
    there = t.cast("dict[str, t.Any]", seen["elsewhere"])
    words = f" ({there['unit']})" if there["unit"] else f" (port {there['port']})"
    path = seen["data_directory"]["path"]
    return f"a server runs on {name} from {there['path']}{words}, and the inventory says {path}"


def correct_directory(name: str, seen: Observation) -> str:
    """Return which option names the directory, and what is there."""
    there = t.cast("dict[str, t.Any]", seen["elsewhere"])
    return f"correct data_directory_path for {name} in the inventory: {there['path']}"


def unresolved(observations: Observations) -> list[str]:
    """Return the hosts whose name the controller cannot resolve: they may be on all the same."""
    return [name for name, seen in observations.items() if seen.get("unresolved")]


def _names(observations: Observations, hosts: Hosts) -> list[Fault]:
    """A standby whose master is none of the group, while a name of the group leads nowhere."""
    nameless = unresolved(observations)
    if not nameless or topology.masters(observations):
        return []
    for name, seen in observations.items():
        if topology.kind(seen) not in topology.STANDBYS:
            continue
        address, port = followers.told(seen)
        if address is None or followers.followed_by(seen, hosts, observations) is not None:
            continue
        server = seen["server"]
        gets = bool(server and server["receiver"] and server["receiver"]["status"] == "streaming")
        found = (
            f"{name} {'receives WAL from' if gets else 'is told to follow'} {address}:{port}, which no host of the"
            f" group {group(MASTERS)} is, and the controller cannot resolve the name of {' and '.join(nameless)}"
        )
        return [Fault("inventory-name", nameless[0], found, _right_name(nameless, address))]
    return []


def _right_name(nameless: list[str], address: str) -> str:
    meant = " or ".join(nameless)
    return (
        f"correct the name {meant} in the inventory if {address} is meant; if the name is right, give its address in"
        f" ansible_host, and server_address={address} for it"
    )
