# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the hosts would look like after a fault that has not happened: from observations to observations. Pure.

Source: PostgreSQL manual, "Log-Shipping Standby Servers" (a standby whose master is gone goes on and tries again).
"""

from __future__ import annotations

import typing as t

from ..values import lsn
from ..values.observation import Hosts, Observation, Observations, Unreachable, Witness
from . import address, followers, topology

#: what a host says of a port that no server listens on, and of one whose host is silent
REFUSED, SILENT = "Connection refused", "timed out"
#: bytes of WAL that come with the word of where the WAL ends, at most: a standby hears of them, then writes them
AT_ONCE = 128 * 1024


def server_dies(observations: Observations, hosts: Hosts, master: str) -> Observations:
    """Return what is seen after the master's server was killed: its host answers, and its data was not shut down."""
    seen = observations[master]
    dead: dict[str, t.Any] = {
        **seen,
        "process": {**seen["process"], "running": False, "pid": None, "frozen": False},
        "service": {**seen["service"], "active": "failed", "sub": "failed"},
        "control": {**seen["control"], "ended": "crashed", "as_master": True} if seen["control"] else None,
        "credentials": {**seen["credentials"], "accepted": None},
        "listening": False,
        "virtual_ip": {**seen["virtual_ip"], "here": False} if seen["virtual_ip"] else None,
        "server": None,
        "server_error": "the server is not running",
    }
    return _without(observations, hosts, master, t.cast(Observation, dead), REFUSED)


def host_goes_silent(observations: Observations, hosts: Hosts, master: str) -> Observations:
    """Return what is seen as soon as nothing of the master's host answers; whether it is off, nobody can tell.

    Its standby waits for it as long as the receiver's time-out allows.
    """
    away: Unreachable = {"reachable": False, "error": "no answer"}
    return _without(observations, hosts, master, t.cast(Observation, away), SILENT)


def seen_by_segments(
    witnesses: Observations, observations: Observations, hosts: Hosts, master: str, error: str
) -> Observations:
    """Return what segments see and remember then.

    What the master has written on its own timeline is on its way to a standby: hosts are not looked at in one moment.
    """
    there = {name: seen for name, seen in witnesses.items() if topology.kind(seen) != topology.UNREACHABLE}
    return {
        name: t.cast(
            Observation,
            {**_cut_off(seen, hosts, master, error), "witness": _arrived(seen["witness"], observations, master)},
        )
        for name, seen in there.items()
    }


def _arrived(memory: Witness | None, observations: Observations, master: str) -> Witness | None:
    source = observations[master]
    if not memory or memory["master"] != master or memory["timeline"] != topology.timeline(source):
        return memory
    servers = [
        topology.seen_at(observations, name)
        for name in topology.registered(master, source)
        if topology.kind(topology.seen_at(observations, name)) == topology.STANDBY
    ]
    held = [seen["server"]["have_lsn"] for seen in servers if seen["server"] and seen["server"]["have_lsn"]]
    most = max(held, key=lsn.parse, default=memory["lsn"])
    return {**memory, "lsn": min(memory["lsn"] or "0/0", most or "0/0", key=lsn.parse)}


def _without(observations: Observations, hosts: Hosts, master: str, instead: Observation, error: str) -> Observations:
    strangers = address.strangers(observations)  # these answer for the address also when the master does not
    found = {
        name: seen if topology.kind(seen) == topology.UNREACHABLE else _cut_off(seen, hosts, master, error, strangers)
        for name, seen in observations.items()
    }
    return {**found, master: instead}


def _with_what_came(server: t.Any) -> t.Any:
    """Return a standby that has written what had reached it when it was looked at. More than that is really missing."""
    receiver = server["receiver"]
    told = receiver["latest_end_lsn"] if receiver else None
    lacking = lsn.distance(told, server["have_lsn"]) or 0
    return {**server, "have_lsn": told} if 0 < lacking <= AT_ONCE else server


def _cut_off(seen: Observation, hosts: Hosts, master: str, error: str, strangers: t.Sequence[str] = ()) -> Observation:
    """Return what another host sees then: the master's port is closed, and nothing comes from there."""
    probes, asks, server, refused = dict(seen["probes"]), dict(seen["asks"]), seen["server"], error == REFUSED
    if master in probes:
        probes[master] = {**probes[master], "open": False, "answers": False, "error": error}
    if master in asks:
        asks[master] = {"server": None, "host": "answered" if refused else error}
    if server and refused and followers.followed_by(seen, hosts) in (master, None):
        server = {**server, "receiver": None}
    elif server and followers.followed_by(seen, hosts) in (master, None):
        server = _with_what_came(server)
    place: t.Any = seen["virtual_ip"]
    others = [mac for mac in (place or {}).get("others") or [] if mac in strangers]
    cut: dict[str, t.Any] = {
        **seen,
        "probes": probes,
        "asks": asks,
        "server": server,
        "virtual_ip": {**place, "taken": bool(others), "others": others} if place else None,
    }
    return t.cast(Observation, cut)
