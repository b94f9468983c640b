# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the collection's own programs are where they are needed, and can do what they are for. Pure."""

from __future__ import annotations

import typing as t

from ...values.command import playbook
from ...values.observation import Observation
from ...values.places import cluster
from .. import address, members, topology
from . import facts
from .group import Finding, Group, finding, on, systemctl

#: what ssh says of a host key that is not known at this address and port
STRANGER = "Host key verification failed"
INTERLOCK, PEER, ADDRESS = "interlock", "peer", "virtual-ip"


def findings(group: Group) -> list[Finding]:
    """Return what is wrong with the programs of a master and its standbys."""
    found = [*_elsewhere(group), *_address(group), *(_would_wait(group, name) for name in waited_for(group))]
    if not group.standbys:
        return found
    for name, seen in group.members.items():
        which = name if name != group.master else group.standbys[0]
        command = group.resync(which)
        found += _interlock(group, name, seen, str(command))
        found += _asks(group, name, seen, which)
        if _is_wrong(group, seen, PEER):
            text = f"the program that answers the other master hosts on {name} is {_is_wrong(group, seen, PEER)}"
            found.append(finding("peer-program", name, text, command))
        if seen["virtual_ip"] and _is_wrong(group, seen, ADDRESS):
            text = (
                f"the program that holds {seen['virtual_ip']['address']} on {name} is {_is_wrong(group, seen, ADDRESS)}"
            )
            found.append(finding("address-program", name, f"{text}: the address could not follow the master", command))
    return found


def _address(group: Group) -> list[Finding]:
    """Return what would keep the address from a host, or gives it to another one."""
    rows: dict[address.Trouble, str] = {}
    for name in group.members:
        for row in address.troubles(name, group.observations, group.hosts):
            rows.setdefault(row, name)
    # what others have is looked at again; what a host lacks is put in order by a run
    found = []
    for row, name in rows.items():
        then = playbook("state" if row.kind in ("address-taken", "address-configured") else "init_standby")
        found.append(finding(row.kind, name, f"{row.found}: {row.why}", f"{row.command}, then: {then}"))
    for name, seen in group.members.items():
        left, idle = address.left(name, seen), address.idle(name, seen) if name != group.master else ""
        if left:
            found.append(finding("address-program", name, left, playbook("init_standby")))
        elif idle:
            text = f"{idle}: {address.NOT_FOLLOW}"
            found.append(finding("address-program", name, text, on(name, f"systemctl restart {_unit(seen)}")))
    return found


#: the program of which these findings are, as people read it
ASKS = "the interlock, which asks the other hosts before a master starts"


def _unit(seen: Observation) -> str:
    return f"hawq-mirroring-{ADDRESS}-{cluster(seen['service']['unit'])}"


def _is_wrong(group: Group, seen: Observation, program: str) -> str:
    """Return what is wrong with a program; nothing where it is as the controller has it, or was not looked at."""
    here = seen["programs"].get(program)
    wanted = (group.options.get("programs") or {}).get(program)
    if here is None or (here["program"] and wanted in (None, here["program"])):
        return ""
    return "another version than the one here" if here["program"] else "missing"


def _interlock(group: Group, name: str, seen: Observation, command: str) -> list[Finding]:
    here = seen["programs"].get(INTERLOCK)
    if here is None:
        return []
    risk = "after a restart it could become a second master"
    if not (here["program"] and here["unit"] and here["settings"]):
        lacks = "program" if not here["program"] else "line in the unit" if not here["unit"] else "file of settings"
        text = f"on {name} {ASKS}, lacks its {lacks}: {risk}"
        return [finding("interlock-missing", name, text, command)]
    if here["stale"]:
        text = f"on {name} systemd has not read yet that it starts {ASKS}: {risk}"
        return [finding("interlock-changed", name, text, on(name, "systemctl daemon-reload"))]
    if seen["service"]["load"] == "loaded" and INTERLOCK not in seen["service"].get("before", INTERLOCK):
        text = f"on {name} a drop-in of {seen['service']['unit']} takes away the line (ExecStartPre=) of {ASKS}: {risk}"
        mend = f"take that line out of the drop-in, which this shows: {systemctl('cat', name, seen)}"
        return [finding("interlock-changed", name, text, mend)]
    wrong = _is_wrong(group, seen, INTERLOCK) or _told_wrong(group, name, seen, here["settings"])
    if not wrong:
        return []
    return [finding("interlock-changed", name, f"on {name} {ASKS}, is {wrong}", command)]


def _told_wrong(group: Group, name: str, seen: Observation, told: t.Any) -> str:
    """Return what the interlock has been told and is no longer so."""
    if not isinstance(told, dict):
        return "told nothing of use"
    path = told.get("data_directory")
    if path != seen["data_directory"]["path"]:
        return f"told of the data directory {path}, and the server's is {seen['data_directory']['path']}"
    rows = told.get("peers")
    peers = {row.get("name"): row for row in rows if isinstance(row, dict)} if isinstance(rows, list) else {}
    for other in group.members:
        row, host = peers.get(other), group.hosts[other]
        if other == name:
            continue
        if row is None:
            return f"not told to ask {other}"
        unit = cluster(group.observations[other]["service"]["unit"])
        if cluster(str(row.get("unit"))) != unit:
            return f"told to ask {other} for {cluster(str(row.get('unit')))}, not for {unit}"
        if (str(row.get("address")), str(row.get("port"))) != (str(host["address"]), str(host["port"])):
            return (
                f"told to ask {other} at {row.get('address')}:{row.get('port')}, not {host['address']}:{host['port']}"
            )
    return ""


def _asks(group: Group, name: str, seen: Observation, which: str) -> list[Finding]:
    found = []
    for other, answer in seen["asks"].items():
        if other not in group.members or other == name:
            continue
        by_host, by_server = answer["host"] in (None, "answered"), answer["server"] in (None, "accepted")
        if by_host and (by_server or answer["host"]):
            continue
        whys = (None if by_host else answer["host"], None if by_server else answer["server"])
        why = "; ".join(each for each in whys if each)
        text = (
            f"{name} cannot ask {other} whether it has become the master ({why}): restarted while {other}'s server is"
            " down, it would wait for that answer, and no WAL could be fetched from there"
        )
        found.append(finding("cannot-ask", name, text, _let_in(group, name, other, which)))
    return found


def _let_in(group: Group, name: str, other: str, which: str) -> str:
    """Return how a host is let in: keys that are missing are exchanged; what else is in the way only people know."""
    restrict = group.options.get("ssh_keys_restrict", True)
    stranger = STRANGER in str(group.observations[name]["asks"][other]["host"])
    if stranger or members.needs_ssh_keys([group.observations[name], group.observations[other]], restrict):
        return str(group.resync(which))
    user = group.observations[other]["user"]["name"]
    address = group.hosts[other]["address"]
    return (
        f"let {user} of {name} in by SSH on {other} (its sshd says who may log in, and {user} needs a shell there;"
        f" another port is ssh_keys_port in the inventory), until this works as {user}: {on(name, f'ssh {address}')}"
    )


def waited_for(group: Group) -> list[str]:
    """Return the hosts that are no standbys and for which a restart of the master would wait: nobody has said why they
    have no data.
    """
    here = group.source["programs"].get(INTERLOCK)
    told = here["settings"] if here else None
    rows = told.get("peers") if isinstance(told, dict) else None
    asked = [row.get("name") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [
        name
        for name, seen in group.reachable.items()
        if name in asked and name not in group.standbys
        if topology.kind(seen) == topology.EMPTY and not seen["data_directory"]["removed_on_purpose"]
    ]


def _would_wait(group: Group, name: str) -> Finding:
    text = (
        f"{name} has no data directory, and nobody has said that it was deleted on purpose: a restart of {group.master}"
        f" would wait for {name}, since a newer master's data may be on a file system that is not mounted there"
    )
    return finding("restart-waits", name, text, group.resync(name))


def _elsewhere(group: Group) -> list[Finding]:
    place = facts.virtual_ip(group)
    if not place or place["holders"] == [group.master]:
        return []
    where = " and ".join(place["holders"]) or "no host"
    restart = on(group.master, f"systemctl restart {_unit(group.source)}")
    mend = str(playbook("init_standby")) if group.standbys else restart
    text = f"{place['address']} is on {where}, and should be on the master {group.master}"
    return [finding("address-elsewhere", group.master, text, mend)]


def notes(group: Group) -> list[Finding]:
    """Return the servers whose start waits for something, while there is a master."""
    return [
        finding(
            "start-waits",
            name,
            f"the start of {name} waits: {seen['service']['waits_for']}",
            group.resync(name) if topology.kind(seen) == topology.STOPPED else systemctl("status", name, seen),
        )
        for name, seen in group.reachable.items()
        if seen["service"]["waits_for"]
    ]
