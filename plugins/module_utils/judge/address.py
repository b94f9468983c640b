# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the address that follows the master could be on a host, and on no other one. Pure: no I/O, no clock.

All of it is found before a master is stopped. A failover is not refused for it: it goes on, and says what it has found.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ..values.command import playbook
from ..values.observation import Hosts, Observation, Observations
from ..values.places import cluster
from . import topology
from .refusal import AGAIN, Refusal

PROGRAM = "virtual-ip"
#: how it begins what the program says on a standby's host of what would keep the address from it
COULD_NOT = "the address could not be added here"
DEAD = ("failed", "inactive")
NOT_FOLLOW, TWO_HAVE_IT = "the address could not follow the master", "clients would reach now one host, now the other"


class Trouble(t.NamedTuple):
    """What is wrong with the address on a host, why that matters, and what to do first."""

    kind: t.Any
    found: str
    why: str
    command: str


def troubles(name: str, observations: Observations, hosts: Hosts) -> list[Trouble]:
    """Return all that is wrong with the address on a host; nothing where it was not looked at."""
    seen = observations[name]
    place: t.Any = None if topology.kind(seen) == topology.UNREACHABLE else seen.get("virtual_ip")
    if not place or "link" not in place:
        return []
    own = [other for other, host in hosts.items() if str(host["address"]) == bare(place["address"])]
    if own:
        found = f"{bare(place['address'])} is the address of {own[0]} itself, and it would be taken off that host"
        return [Trouble("address-configured", found, NOT_FOLLOW, "Set virtual_ip_address to another one")]
    return [
        *_interface(name, place),
        *_misfit(name, place),
        *_configured(name, seen, place),
        *_taken(name, observations),
    ]


def refusals(names: t.Iterable[str], observations: Observations, hosts: Hosts) -> list[Refusal]:
    """Return the same of several hosts as reasons not to go on, each once."""
    found = [row for name in names for row in troubles(name, observations, hosts)]
    return [Refusal(row.kind, row.found, row.why, f"{row.command}, {AGAIN}") for row in dict.fromkeys(found)]


def idle(name: str, seen: Observation) -> str:
    """Return why the program of a standby's host would not hold the address; nothing where that is not known.

    It has tried there what it can without the address.
    """
    here: t.Any = seen["programs"].get(PROGRAM)
    if not here or not here["program"] or not seen["process"]["running"]:
        return ""
    unit = f"hawq-mirroring-{PROGRAM}-{cluster(seen['service']['unit'])}.service"
    if seen["service"]["active"] == "active" and here.get("state") in DEAD:
        return f"{unit} on {name} does not run (journalctl -u {unit} says why)"
    if str(here.get("says", "")).startswith(COULD_NOT):
        return f"{unit} on {name} says: {here['says']}"
    return ""


def left(name: str, seen: Observation) -> str:
    """Return what the program of a host has been told and the inventory does not say any more; nothing if that fits."""
    told, place = _told(seen), t.cast("t.Any", seen.get("virtual_ip"))
    if not told.get("address"):
        return ""
    if not place:
        return f"{name} is told to hold {told['address']}, and the inventory names no such address any more"
    if place.get("interface") and (told["address"], told.get("interface")) != (place["address"], place["interface"]):
        was, now = f"{told['address']} on {told.get('interface')}", f"{place['address']} on {place['interface']}"
        return f"{name} is told to hold {was}, and the inventory says {now}"
    return ""


def gone(names: t.Iterable[str], observations: Observations) -> list[str]:
    """Return the hosts that hold an address, or are told to, while the inventory names none."""
    return [
        name
        for name in names
        if topology.kind(observations[name]) != topology.UNREACHABLE
        if not observations[name].get("virtual_ip") and left(name, observations[name])
    ]


def strangers(observations: Observations) -> list[str]:
    """Return the hardware addresses that answer for the address and are of no host that was looked at."""
    places: list[t.Any] = [seen.get("virtual_ip") for seen in observations.values()]
    ours = {mac for place in places if place for mac in (place.get("macs") or {}).values()}
    return sorted({mac for place in places if place for mac in place.get("others") or [] if mac not in ours})


def bare(address: str) -> str:
    """Return an address without its prefix, as it is written shortest."""
    return str(ipaddress.ip_interface(address).ip)


def _told(seen: Observation) -> dict[str, t.Any]:
    """Return what the program of a host has been told; nothing where it has not been told anything of use."""
    here: t.Any = seen["programs"].get(PROGRAM)
    told = here["settings"] if here else None
    return told if isinstance(told, dict) else {}


def _interface(name: str, place: t.Any) -> list[Trouble]:
    interface = place["interface"]
    if place["link"] == "up":
        return []
    if place["link"] == "down":
        found = f"the interface {interface} of {name}, which is to have {place['address']}, is down"
        return [Trouble("address-interface", found, NOT_FOLLOW, f"Bring it up on {name}: ip link set {interface} up")]
    there = ", ".join(sorted(set(place["macs"]) - {"lo"})) or "none"
    found = f"{name} has no interface {interface} for {place['address']} (it has {there})"
    return [Trouble("address-interface", found, NOT_FOLLOW, f"Set virtual_ip_interface for {name} in the inventory")]


def _misfit(name: str, place: t.Any) -> list[Trouble]:
    """An interface without another address may be for this one alone; a narrower prefix takes nobody's way away."""
    wanted = ipaddress.ip_interface(place["address"])
    networks = [ipaddress.ip_network(each) for each in place["networks"]]
    around = [each for each in networks if wanted.ip in each]
    if not networks or any(each.prefixlen <= wanted.network.prefixlen for each in around):
        return []
    known = ", ".join(map(str, networks))
    if around:
        found = f"{place['address']} is wider than the network of {place['interface']} on {name} ({known})"
        why = (
            f"{name} would look for all of {wanted.network} on that interface, and not reach what lies behind a router"
        )
        return [Trouble("address-misfit", found, why, f"Set virtual_ip_address={wanted.ip}/{around[0].prefixlen}")]
    found = f"{place['address']} is in no network of {place['interface']} on {name} ({known})"
    why = "nobody would look for it there"
    return [Trouble("address-misfit", found, why, "Correct virtual_ip_address or virtual_ip_interface")]


def _configured(name: str, seen: Observation, place: t.Any) -> list[Trouble]:
    """What else gives a host the address: it would come back beside the master's."""
    address = bare(place["address"])
    told = _told(seen)
    ours = {place["interface"], told.get("interface") if told.get("address") == place["address"] else ""}
    found = [
        Trouble(
            "address-configured",
            f"{address} is on {interface} of {name}, and is to be on {place['interface']}",
            f"it is not this collection that has put it there: {TWO_HAVE_IT}",
            f"Take it off there: ip address flush dev {interface} to {address} (and find out what had added it)",
        )
        for interface in sorted(set(place["on"]) - ours)
    ]
    if place["named_in"]:
        found.append(
            Trouble(
                "address-configured",
                f"{' and '.join(place['named_in'])} on {name} name{'' if place['named_in'][1:] else 's'} {address}",
                f"something else would give {name} the address, whoever is the master: {TWO_HAVE_IT}",
                f"Take it out there on {name}",
            )
        )
    return found


def _taken(name: str, observations: Observations) -> list[Trouble]:
    place: t.Any = observations[name]["virtual_ip"]
    others = sorted(set(place.get("others") or []) & set(strangers(observations)))
    if not others:
        return []
    address = bare(place["address"])
    return [
        Trouble(
            "address-taken",
            f"a host that was not looked at answers for {address} ({', '.join(others)})",
            TWO_HAVE_IT,
            f"Take {address} off the host with that hardware address, or set virtual_ip_address to another one",
        )
    ]


def elsewhere(observations: Observations, new: str) -> list[str]:
    """Return what a failover says of others that have the address: it goes on all the same."""
    others, place = strangers(observations), observations[new].get("virtual_ip")
    if not others or not place:
        return []
    found = f"a host that was not looked at answers for {bare(place['address'])} ({', '.join(others)})"
    return [
        f"{found}: it is announced from {new} all the same, and until that host has given it up {TWO_HAVE_IT}. To see"
        f" whether it has: {playbook('state')}"
    ]
