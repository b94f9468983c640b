# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What one host sees of the network: its own addresses, its peers' ports, and who has the master's address.

Source: PostgreSQL manual, "Message Flow" (SSLRequest, which any server answers without a login).
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import ipaddress
import json
import os
import socket
import struct
import typing as t

from . import files, separation
from .errors import MirroringError
from .run import Runner

if t.TYPE_CHECKING:
    from ..values.observation import Machine, Probe, VirtualIp

#: states of an interface that carries nothing (RFC 2863)
DOWN = ("down", "lowerlayerdown", "notpresent")
#: of a port that is open: a kernel opens connections for frozen processes, too
NO_ANSWER = "port {} is open, but nothing answers there"
SSL_REQUEST = struct.pack("!ii", 8, 80877103)


def machine(run: Runner) -> Machine:
    """Who this machine is: names, addresses (without loopback and link-local), architecture."""
    addresses = [entry["local"] for link in _links(run) for entry in _of(link)]
    return {
        "hostname": socket.gethostname(),
        "machine_id": (files.text_of("/etc/machine-id") or "").strip(),
        "addresses": sorted(addresses),
        "architecture": os.uname().machine,
    }


def _links(run: Runner) -> list[dict[str, t.Any]]:
    _code, output, _errors = run(["ip", "-json", "address", "show"], timeout=10)
    try:
        return list(json.loads(output or "[]"))
    except ValueError:
        return []


def _of(link: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the addresses of an interface that other hosts can use."""
    found: list[dict[str, t.Any]] = link.get("addr_info", [])
    return [entry for entry in found if entry.get("local") and entry.get("scope") == "global"]


def interfaces_with(run: Runner, address: str) -> list[str]:
    """Return the interfaces that have an address (without its prefix)."""
    return sorted(str(link.get("ifname")) for link in _links(run) if any(row["local"] == address for row in _of(link)))


def listening(port: int) -> bool:
    """Whether anything on this host listens on the TCP port."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in (files.text_of(table) or "").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                return True
    return False


def sources_for(address: str) -> list[str]:
    """The local addresses that packets to there leave from, one for each address of the name (no packet is sent)."""
    found = set()
    with contextlib.suppress(OSError):
        for family, kind, _protocol, _name, target in socket.getaddrinfo(address, 9, type=socket.SOCK_DGRAM):
            with contextlib.suppress(OSError), socket.socket(family, kind) as datagram:
                datagram.connect(target)
                found.add(str(datagram.getsockname()[0]))
    return sorted(found)


def probe(address: str, port: int, seconds: float = 2.0, question: bytes = SSL_REQUEST) -> Probe:
    """Whether a TCP connection opens, whether a server answers, and which of this host's addresses it may leave from.

    A kernel opens connections for frozen processes, too. So the server is asked for SSL, which any one answers at once
    (PostgreSQL manual, "Message Flow", SSLRequest). One that speaks first is asked nothing.
    """
    answer: Probe = {
        "address": address,
        "port": port,
        "open": False,
        "answers": False,
        "error": None,
        "sources": sources_for(address),
    }
    try:
        targets = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return {**answer, "error": str(error)}
    # all addresses of the name at once: a dead host costs one time-out
    with concurrent.futures.ThreadPoolExecutor(max_workers=len(targets)) as pool:
        found = list(pool.map(lambda target: _ask(target[0], target[4], seconds, question), targets))
    best = max(found, key=lambda each: (each["answers"], each["open"]))
    return {**answer, "open": best["open"], "answers": best["answers"], "error": best["error"]}


def _ask(family: int, target: t.Any, seconds: float, question: bytes) -> dict[str, t.Any]:
    found: dict[str, t.Any] = {"open": False, "answers": False, "error": None}
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(seconds)
            connection.connect(target)
            found["open"] = True
            connection.sendall(question)
            found["answers"] = connection.recv(1) != b""
    except OSError as error:
        found["error"] = str(error)
    return found


def must_answer(address: str, port: int) -> None:
    """Raise MirroringError unless the master's server answers: what is here may be the last copy then."""
    found = probe(address, port)
    if not found["answers"]:
        raise MirroringError(
            f"the master at {address}:{port} does not answer from here ({found['error'] or 'its port is open'}): what"
            " is here may be the last copy, and is not deleted. Bring the master up, then run this again"
        )


def probes(peers: list[dict[str, t.Any]]) -> dict[str, Probe]:
    """Probe every peer at the same time; keyed by the peer's name."""
    if not peers:
        return {}
    with concurrent.futures.ThreadPoolExecutor(max_workers=len(peers)) as pool:
        answers = pool.map(lambda peer: probe(peer["address"], peer["port"]), peers)
        return {peer["name"]: answer for peer, answer in zip(peers, answers)}


def virtual_ip(run: Runner, address: str, interface: str) -> VirtualIp | None:
    """Where the address that follows the master is here, what there is for it, and who else answers for it."""
    if not address:
        return None
    wanted = ipaddress.ip_interface(address)
    links = {str(link.get("ifname")): link for link in _links(run)}
    entries = [(name, entry) for name, link in links.items() for entry in _of(link)]
    # what the kernel has found elsewhere when it was added is of no use here
    has = sorted({name for name, entry in entries if entry["local"] == str(wanted.ip) and not entry.get("dadfailed")})
    macs = {name: str(link.get("address") or "") for name, link in links.items()}
    own = [
        ipaddress.ip_interface(f"{entry['local']}/{entry['prefixlen']}")
        for name, entry in entries
        if name == interface and entry["local"] != str(wanted.ip)
    ]
    seen = separation.ask("address_elsewhere") if interface else {"answering": None, "named_in": []}
    others = None if seen["answering"] is None else sorted(set(seen["answering"]) - set(macs.values()))
    state = str(links[interface].get("operstate", "")).lower() if interface in links else "missing"
    return {
        "address": address,
        "here": bool(has),
        "taken": None if has or others is None else bool(others),
        "interface": interface,
        "link": "missing" if state == "missing" else "down" if state in DOWN else "up",
        "on": has,
        "networks": sorted({str(each.network) for each in own if each.version == wanted.version}),
        "macs": macs,
        "others": others,
        "named_in": seen["named_in"],
    }
