# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A master, its standbys, and whether each is let in by every other. Pure: no I/O, no clock."""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values import conninfo
from ..values.observation import Hosts
from . import slots, topology
from .options import Options


class Pair(t.NamedTuple):
    """Which host is the master, and which is or becomes its standby."""

    master: str
    standby: str


def of(observations: topology.Observations, pair: Pair) -> list[str]:
    """Return master, standby and the further standbys that have data and can be looked at."""
    others = topology.registered(pair.master, observations[pair.master])
    return [*pair, *(name for name in others if name not in pair and is_there(observations.get(name)))]


def is_there(seen: topology.Observation | None) -> bool:
    """Whether a host is one of the group, can be looked at, and has data that others can be let in by."""
    return seen is not None and topology.kind(seen) not in (topology.UNREACHABLE, topology.EMPTY, topology.OTHER)


def lines_between(observations: topology.Observations, hosts: Hosts, names: list[str], role: str) -> list[str]:
    """Return the lines that let each of these hosts replicate from every other, and get its slots if that is wanted."""
    found = addresses(observations, hosts, names)
    databases = [slots.database(observations[names[0]])] if _synchronises(observations, names, role) else []
    return [line for each in ("replication", *databases) for line in conninfo.hba_lines(role, found, each)]


def _synchronises(observations: topology.Observations, names: list[str], role: str) -> bool:
    """Whether slots are synchronised between these hosts, or were, as their lines say."""
    there = [observations[name] for name in names]
    lines = [line.split() for seen in there for line in seen["blocks"]["access"] or []]
    told = any(line[1:3] == [slots.database(there[0]), role] for line in lines)
    return told or any(topology.kind(seen) == topology.MASTER and slots.must_be_synchronised(seen) for seen in there)


def hba_lines(observations: topology.Observations, hosts: Hosts, pair: Pair, options: Options) -> list[str]:
    """Return the lines that let every member replicate from every other; those of one that is away now stay."""
    names, source = of(observations, pair), observations[pair.master]
    lines = lines_between(observations, hosts, names, options["replication_user"])
    away = set(topology.registered(pair.master, source)) - set(names)
    return sorted({*lines, *(source["blocks"]["access"] or [])}) if away else lines


def addresses(observations: topology.Observations, hosts: Hosts, names: list[str]) -> list[str]:
    """Return the addresses that replication between the hosts comes from, as each host itself sees them."""
    found = set()
    for name in names:
        for peer in names:
            answer = observations[name]["probes"].get(peer)
            if answer and peer != name:
                found.update(answer["sources"])
        if hosts[name]["address"] in observations[name]["machine"]["addresses"]:
            found.add(hosts[name]["address"])
    return sorted(found)


#: what ssh says of a host whose key known_hosts does not have by that name
UNKNOWN_KEY = "Host key verification failed"


def needs_ssh_keys(seen: list[topology.Observation], restrict: bool) -> bool:
    """Whether the hosts cannot yet ask each other with known keys, or may do more than that although they must not."""

    def may_ask(here: topology.Observation, there: topology.Observation) -> bool:
        mine, its = here["ssh"], there["ssh"]
        let_in = mine["public_key"] in its["authorized"] and (mine["public_key"] in its["restricted"]) == restrict
        return let_in and set(its["host_keys"]) <= set(mine["known"])

    return not all(may_ask(one, other) for one in seen for other in seen if one is not other)


def is_mute(seen: topology.Observation, others: t.Iterable[str]) -> bool:
    """Whether a host has asked one of the others by SSH in vain, or could not yet, not having been set up."""
    installed = seen["programs"].get("interlock")
    if installed and not installed["program"]:
        return True
    return any(row["host"] not in (None, "answered") for name, row in seen["asks"].items() if name in others)


def has_new_addresses(observations: topology.Observations, endpoints: Hosts) -> bool:
    """Whether a host does not know the host key of another one by the address that the inventory has for it now.

    The interlock is told the addresses of the run that has exchanged the keys.
    """
    for name in endpoints:
        seen = observations[name]
        interlock = seen["programs"].get("interlock")
        told = ((interlock["settings"] if interlock else None) or {}).get("peers") or []
        known = {row["address"] for row in told}
        others = {str(place["address"]) for other, place in endpoints.items() if other != name}
        if (told and not others <= known) or any(UNKNOWN_KEY in (row["host"] or "") for row in seen["asks"].values()):
            return True
    return False


def needs_passwords(seen: list[topology.Observation], servers: list[list[str]]) -> bool:
    """Whether the replication password is not yet proven: in each file for each server, and let in by the master."""
    found = [each["credentials"] for each in seen]
    kept = all(
        row["private"] and row["consistent"] and all(each in row["servers"] for each in servers) for row in found
    )
    return not (kept and any(row["accepted"] for row in found) and any(row["login"] == "accepted" for row in found))


def is_source(master: str, source: topology.Observation, standbys: list[str], slot: str) -> bool:
    """Whether the master already has what feeds a standby: role, registration, slot, and access lines in effect."""
    server = source["server"]
    kept = topology.slot_of(source, slot) is not None or not table.of(source).keeps_wal_for_standby
    registered = (server["master_name"], server["standbys"]) == (master, standbys)
    fed = registered and kept and not topology.is_lost(source, slot)
    return fed and source["credentials"]["accepted"] is True and not server["access_stale"]
