# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who else has the address that follows the master: neighbours, other interfaces, the host's own configuration."""

from __future__ import annotations

import json
import socket
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import neighbours, network, separation, virtual_ip
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError

MINE, THEIRS = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


class Wire:
    """A packet socket on whose network some hosts have the address."""

    def __init__(self, holders: list[bytes], hardware: int = 1, error: OSError | None = None) -> None:
        self.holders, self.hardware, self.error, self.asked = holders, hardware, error, 0
        self.left: list[bytes] = []

    def __call__(self, *_arguments: t.Any) -> Wire:
        return self

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def bind(self, _where: t.Any) -> None:
        if self.error:
            raise self.error

    def getsockname(self) -> tuple[str, int, int, int, bytes]:
        return "eth0", 0, 0, self.hardware, MINE

    def settimeout(self, _seconds: float) -> None:
        return

    def send(self, packet: bytes) -> None:
        self.asked += 1
        target = packet[38:42]
        head = MINE + THEIRS + packet[12:20]
        self.left += [head + b"\0\2" + mac + target + MINE + bytes(4) for mac in self.holders]

    def recv(self, _most: int) -> bytes:
        if not self.left:
            raise TimeoutError
        return self.left.pop(0)


WIRES: dict[str, tuple[Wire, list[str] | None]] = {
    "nobody": (Wire([]), []),
    "one": (Wire([THEIRS]), ["02:00:00:00:00:02"]),
    "its own packets come back": (Wire([MINE]), []),
    "two": (Wire([THEIRS, bytes.fromhex("020000000003")]), ["02:00:00:00:00:02", "02:00:00:00:00:03"]),
    "loopback": (Wire([], hardware=772), None),
    "no such interface": (Wire([], error=OSError(19, "No such device")), None),
}


@pytest.mark.parametrize(("wire", "found"), WIRES.values(), ids=WIRES)
def test_who_answers(monkeypatch: pytest.MonkeyPatch, wire: Wire, found: list[str] | None) -> None:
    monkeypatch.setattr(socket, "socket", wire)
    assert neighbours.answering("192.0.2.10/24", "eth0") == found
    assert wire.asked == (0 if found is None else 2)


FILES: dict[str, tuple[str, bool]] = {
    "a line": ("iface eth0 inet static\n  address 192.0.2.10/24\n", True),
    "quoted": ('IPADDR="192.0.2.10"\n', True),
    "in a list": ("addresses: [192.0.2.9/24,192.0.2.10/24]\n", True),
    "a comment": ("  # once it was 192.0.2.10\n! 192.0.2.10\n; 192.0.2.10\n", False),
    "a longer one": ("address 192.0.2.101\naddress 1192.0.2.10\naddress 192.0.2.10.example\n", False),
    "another": ("address 192.0.2.11\n", False),
    "empty": ("", False),
}


@pytest.mark.parametrize(("text", "names"), FILES.values(), ids=FILES)
def test_which_files_name_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, names: bool) -> None:
    (tmp_path / "interfaces").write_text(text)
    (tmp_path / "directory").mkdir()
    monkeypatch.setattr(neighbours, "CONFIGURED", (f"{tmp_path}/*",))
    found = neighbours.named_in("192.0.2.10/24")
    roots = (tmp_path / "interfaces").stat().st_uid == 0
    assert found == ([f"{tmp_path}/interfaces"] if names and roots else [])


def test_ipv6_is_found_as_it_is_written_shortest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("address FD00::10/64\n")
    (tmp_path / "b").write_text("address fd00::10:1/64\naddress 1:fd00::10\n")
    monkeypatch.setattr(neighbours, "CONFIGURED", (f"{tmp_path}/*",))
    roots = (tmp_path / "a").stat().st_uid == 0
    assert neighbours.named_in("fd00:0:0::10/64") == ([f"{tmp_path}/a"] if roots else [])


def link(name: str, mac: str, *addresses: str, state: str = "UP", **flags: bool) -> dict[str, t.Any]:
    """Return an interface as ip(8) tells of it."""
    rows = [(each.split("/")[0], int(each.split("/")[1])) for each in addresses]
    entries = [{"local": local, "prefixlen": length, "scope": "global", **flags} for local, length in rows]
    return {"ifname": name, "address": mac, "operstate": state, "addr_info": entries}


LO = link("lo", "00:00:00:00:00:00", state="UNKNOWN")
ETH0 = link("eth0", "02:00:00:00:00:01", "192.0.2.1/24", "fd00::1/64")
SEEN: dict[str, tuple[str, str, list[dict[str, t.Any]], list[str] | None, dict[str, t.Any]]] = {
    "not here, nobody has it": (
        "192.0.2.10/24",
        "eth0",
        [LO, ETH0],
        [],
        {"here": False, "taken": False, "link": "up", "on": [], "networks": ["192.0.2.0/24"], "others": []},
    ),
    "another host has it": (
        "192.0.2.10/24",
        "eth0",
        [LO, ETH0],
        ["02:00:00:00:00:02"],
        {"here": False, "taken": True, "others": ["02:00:00:00:00:02"]},
    ),
    "another interface of its own answers": (
        "192.0.2.10/24",
        "eth0",
        [ETH0, link("eth1", "02:00:00:00:00:09", "192.0.2.10/24")],
        ["02:00:00:00:00:09"],
        {"here": True, "taken": None, "on": ["eth1"], "others": []},
    ),
    "nobody could be asked": ("192.0.2.10/24", "eth0", [ETH0], None, {"taken": None, "others": None}),
    "here": (
        "192.0.2.1/24",
        "eth0",
        [LO, ETH0],
        [],
        {"here": True, "taken": None, "on": ["eth0"], "networks": []},
    ),
    "IPv6, written long": (
        "fd00:0:0:0::1/64",
        "eth0",
        [LO, ETH0],
        [],
        {"here": True, "on": ["eth0"], "networks": []},
    ),
    "IPv6, the kernel has found it elsewhere": (
        "fd00::9/64",
        "eth0",
        [ETH0, link("eth1", "02:00:00:00:00:09", "fd00::9/64", dadfailed=True)],
        [],
        {"here": False, "on": []},
    ),
    "no such interface": ("192.0.2.10/24", "eth0.100", [LO, ETH0], None, {"link": "missing", "networks": []}),
    "down": ("192.0.2.10/24", "eth0", [link("eth0", "02:00:00:00:00:01", state="DOWN")], None, {"link": "down"}),
    "a bridge that knows no state": (
        "192.0.2.10/24",
        "br0",
        [link("br0", "02:00:00:00:00:01", state="UNKNOWN")],
        [],
        {"link": "up"},
    ),
}


@pytest.mark.parametrize(("address", "interface", "links", "answering", "found"), SEEN.values(), ids=SEEN)
def test_what_a_host_sees_of_the_address(
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    interface: str,
    links: list[dict[str, t.Any]],
    answering: list[str] | None,
    found: dict[str, t.Any],
) -> None:
    def run(command: list[str], timeout: float) -> tuple[int, str, str]:
        assert (command, timeout) == (["ip", "-json", "address", "show"], 10)
        return 0, json.dumps(links), ""

    monkeypatch.setattr(separation, "ask", lambda service: {"answering": answering, "named_in": []})
    seen: t.Any = network.virtual_ip(t.cast("t.Any", run), address, interface)
    assert {name: seen[name] for name in found} == found


def test_no_address_is_asked_for() -> None:
    assert network.virtual_ip(t.cast("t.Any", None), "", "") is None


def test_what_is_on_another_interface_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failover does not wait for what nobody will take away."""
    links, did = [ETH0, link("eth1", "02:00:00:00:00:09", "192.0.2.10/24")], []

    class Run:
        def __call__(self, _command: list[str], timeout: float) -> tuple[int, str, str]:
            return 0, json.dumps(links), ""

        def root(self, command: list[str], timeout: float) -> tuple[int, str, str]:
            did.append(command[:3])
            return 0, "", ""

    run = t.cast("t.Any", Run())
    assert virtual_ip.here(run, "192.0.2.10/24")
    with pytest.raises(MirroringError, match="is on eth1 of this host as well"):
        virtual_ip.release(run, "hawq-master.service", "192.0.2.10/24", "eth0", 30)
    assert did == [
        ["systemctl", "stop", "hawq-mirroring-virtual-ip-hawq-master.service"],
        ["ip", "address", "delete"],
    ]
    links.pop()
    virtual_ip.release(run, "hawq-master.service", "192.0.2.10/24", "eth0", 30)
    with pytest.raises(MirroringError, match="virtual_ip_address"):
        virtual_ip.here(run, "nonsense")
