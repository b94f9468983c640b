# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the program that holds the address makes of the server's files, as the server's user."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import types
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import neighbours
from programs import VIRTUAL_IP, loaded


@pytest.fixture
def program() -> t.Any:
    return loaded(VIRTUAL_IP)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory whose server says that it is a master, and with which words it was asked."""
    data = tmp_path / "master"
    data.mkdir()
    (data / "postmaster.pid").write_text("1\n/data\n1\n5433\n/tmp\n")
    psql = tmp_path / "psql"
    psql.write_text('#!/bin/sh\necho "$@" > "$(dirname "$0")/words"\necho t\n')
    psql.chmod(0o755)
    tmp_path.chmod(0o777)
    settings = {"data_directory": str(data), "bin_directory": str(tmp_path), "user": "nobody"}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    return data


def ask(program: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask as root does not: psql's place in this process is taken by a mark."""
    settings = json.loads((data.parent / "settings.json").read_text())
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(program.resource, "setrlimit", lambda *_: None)

    def execv(path: str, words: list[str]) -> None:
        (data.parent / "asked").write_text(" ".join(words))
        sys.exit(0)

    monkeypatch.setattr(os, "execv", execv)
    program.ask("", settings)


def test_it_asks_where_the_server_says_that_it_is(program: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="0"):
        ask(program, data, monkeypatch)
    assert " -h /tmp -p 5433 " in (data.parent / "asked").read_text()


@pytest.mark.parametrize("kind", ["pipe", "none", "short", "no text", "link to a directory"])
def test_what_is_no_such_file_is_no_answer(
    program: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = data / "postmaster.pid"
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "short":
        path.write_text("1\n")
    elif kind == "no text":
        path.write_bytes(b"\xff\n" * 9)
    elif kind == "link to a directory":
        path.symlink_to(data)
    with pytest.raises(SystemExit, match="1"):
        ask(program, data, monkeypatch)


@pytest.mark.parametrize(
    ("status", "of", "asked"),
    [("ready   ", "the server", True), ("standby ", "the server", False), ("ready   ", "another", False)],
)
def test_a_server_without_a_free_session_is_known_by_its_control_file(
    program: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch, status: str, of: str, asked: bool
) -> None:
    """Not one that has crashed, whose files stay: its number may be another process's by now."""
    with subprocess.Popen(["sleep", "60"], cwd=data if of == "the server" else "/") as server:
        (data / "postmaster.pid").write_text(f"{server.pid}\n{data}\n1\n5433\n/tmp\n*\n  1  2\n{status}\n")
        monkeypatch.setattr(sys, "argv", ["", "ask", "", program.CONTROL_FILE])
        with pytest.raises(SystemExit):
            ask(program, data, monkeypatch)
        server.kill()
    path = data.parent / "asked"
    assert (path.read_text() if path.exists() else "") == (f"{data.parent}/pg_controldata -D {data}" if asked else "")


@pytest.mark.parametrize(
    ("state", "found"), [("in production", True), ("in archive recovery", None), ("in production of", None)]
)
def test_a_control_file_says_that_a_server_is_a_master_and_never_that_it_is_none(
    program: t.Any, monkeypatch: pytest.MonkeyPatch, state: str, found: bool | None
) -> None:
    def run(*words: str, **_: t.Any) -> subprocess.CompletedProcess[str]:
        said = f"pg_control version number: 1300\nDatabase cluster state:               {state}\nLatest: 1\n"
        return subprocess.CompletedProcess(words, 0, said if words[-1] == program.CONTROL_FILE else "no session\n")

    monkeypatch.setattr(program, "run", run)
    assert program.accepts_writes("", {"user": "nobody"}) is found


def test_root_reads_nothing_of_the_server(program: t.Any) -> None:
    if os.geteuid() != 0:
        pytest.skip("this is about root")
    with pytest.raises(SystemExit, match="this is not for root"):
        program.ask("", {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_it_asks_as_the_servers_user(program: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "evil")
    done = program.run("sh", "-c", "id -un; pwd; env | grep PG", user="nobody")
    assert done.stdout == "nobody\n/\n"


def test_what_a_program_prints_and_takes_is_bounded(program: t.Any) -> None:
    assert len(program.run("sh", "-c", "head -c 1000000 /dev/zero").stdout) == program.MOST
    assert program.run("sleep", "60", seconds=1).returncode == 124
    assert isinstance(program.run("no-such-program"), subprocess.CompletedProcess)


# the address itself


def message(index: int, *attributes: tuple[int, bytes], kind: int = 20, flags: int = 0) -> bytes:
    """Return what the kernel says of an address (rtnetlink(7))."""
    content = struct.pack("=BBBBI", 2, 24, flags, 0, index)
    for name, value in attributes:
        attribute = struct.pack("=HH", 4 + len(value), name) + value
        content += attribute.ljust((len(attribute) + 3) & ~3, b"\0")
    return struct.pack("=IHHII", 16 + len(content), kind, 2, 1, 0) + content


LOCAL, OTHER = socket.inet_aton("192.0.2.10"), socket.inet_aton("192.0.2.11")


def test_messages_of_the_kernel_are_read(program: t.Any) -> None:
    data = message(2, (3, b"eth0\0"), (1, OTHER), (2, LOCAL)) + message(3, (1, LOCAL)) + message(4, kind=3)
    # that another host has it, and so it is of no use here
    data += message(5, (2, LOCAL), flags=program.DUPLICATE)
    found = program.messages(data)
    assert [kind for kind, _content in found] == [20, 20, 3, 20]
    assert [program.address_of(content) for _kind, content in found] == [(2, LOCAL), (3, LOCAL), (4, b""), (5, b"")]


@pytest.mark.parametrize("data", [b"", b"\0" * 15, b"\0" * 64, b"\xff" * 64])
def test_nonsense_ends(program: t.Any, data: bytes) -> None:
    program.messages(data)
    program.address_of(data.ljust(16, b"\0"))


def test_an_address_is_here_or_not(program: t.Any) -> None:
    """On an interface that every machine has."""
    assert program.here("127.0.0.1/8", "lo")
    assert not program.here("192.0.2.10/24", "lo")
    assert not program.here("127.0.0.1/8", "no-such")


class Kept:
    """What the holder of an address meets: what the server answers in turn, and whether the address can be added."""

    def __init__(
        self, program: t.Any, monkeypatch: pytest.MonkeyPatch, answers: list[bool | None], adds: list[int]
    ) -> None:
        self.did: list[str] = []
        self.here, self.adds = False, adds
        self.answers = answers
        monkeypatch.setattr(program, "accepts_writes", lambda *_: self.answers.pop(0))
        monkeypatch.setattr(program, "here", lambda *_: self.here)
        monkeypatch.setattr(program, "run", self._run)
        monkeypatch.setattr(program, "Neighbours", self._neighbours)
        monkeypatch.setattr(program, "LOOK_SECONDS", 0.01)
        monkeypatch.setattr(program, "AGAIN_SECONDS", 0)
        self.kernel, self.line = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        settings = {"address": "192.0.2.10/24", "interface": "eth0", "wait_seconds": 1}
        self.holder = program.Holder("settings", settings)

    def _neighbours(self, address: str, interface: str) -> t.Any:
        self.did.append(f"announced {address} on {interface}")
        return types.SimpleNamespace(due=lambda seconds: seconds, go_on=lambda: None, words=lambda: "")

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        self.did.append(" ".join(words))
        code = self.adds.pop(0)
        return subprocess.CompletedProcess(words, code, "no device\n" if code else "")


ADD = "ip address replace 192.0.2.10/24 dev eth0"


def test_the_first_time_it_waits_for_the_server(program: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    master = Kept(program, monkeypatch, [None, None, True], [0])
    assert master.holder.first()
    assert master.did == [ADD, "announced 192.0.2.10/24 on eth0"]
    standby = Kept(program, monkeypatch, [None, False], [])
    assert not standby.holder.first()
    assert standby.did == []


def test_the_first_time_what_is_wrong_ends_it(
    program: t.Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        Kept(program, monkeypatch, [True], [1]).holder.first()
    assert "192.0.2.10/24 cannot be added to eth0: no device" in capsys.readouterr().out
    silent = Kept(program, monkeypatch, [None] * 99, [])
    silent.holder.settings["wait_seconds"] = 0
    with pytest.raises(SystemExit, match="gives no session"):
        silent.holder.first()


def test_it_is_put_back_on_a_master_and_never_on_a_standby(
    program: t.Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Put back; in vain, which is said once; without an answer of the server all the same; and no standby's."""
    kept = Kept(program, monkeypatch, [True, True, True, None, False], [0, 1, 1, 0])
    kept.kernel.send(b"changed")
    kept.holder.keep(kept.line)
    assert [word for word in kept.did if word == ADD] == [ADD] * 4
    assert kept.did[-2:] == [ADD, "announced 192.0.2.10/24 on eth0"]
    assert capsys.readouterr().out.splitlines() == [
        "hawq-mirroring-virtual-ip: 192.0.2.10/24 was taken away from eth0, and is there again",
        "hawq-mirroring-virtual-ip: 192.0.2.10/24 cannot be added to eth0: no device",
        "hawq-mirroring-virtual-ip: 192.0.2.10/24 was taken away from eth0, and is there again",
    ]


def test_a_master_that_is_none_any_more_gives_it_up(program: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(program, monkeypatch, [True, False], [])
    kept.here = True
    monkeypatch.setattr(program, "ASK_SECONDS", 0)
    kept.holder.keep(kept.line)
    assert kept.did == []


def test_while_all_is_well_the_server_is_left_alone(program: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs a program every few seconds for ever."""
    kept = Kept(program, monkeypatch, [], [])
    looks = iter([True] * 20)

    def here(*_: str) -> bool:
        if next(looks, None) is None:
            raise StopAsyncIteration
        return True

    monkeypatch.setattr(program, "here", here)
    with pytest.raises(StopAsyncIteration):
        kept.holder.keep(kept.line)
    assert kept.did == []


# what the neighbours are told

MAC, THEIRS = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
FOUR, SIX = socket.inet_aton("192.0.2.10"), socket.inet_pton(socket.AF_INET6, "fd00::10")
#: to everybody, from here: the head, what ARP is about, who says that it has the address, whom it is about
REQUEST = "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 c000020a 000000000000 c000020a"
REPLY = "ffffffffffff 020000000001 0806 0001 0800 06 04 0002 020000000001 c000020a 020000000001 c000020a"
PROBE = "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 00000000 000000000000 c000020a"
#: to all nodes: version, length, what is next, limit; source, target; type, sum, flags, address, hardware address
ADVERTISEMENT = (
    "333300000001 020000000001 86dd 60000000 0020 3a ff fd000000000000000000000000000010"
    " ff020000000000000000000000000001 88 00 {sum} 20000000 fd000000000000000000000000000010 02 01 020000000001"
)
SOLICITATION = (
    "3333ff000010 020000000001 86dd 60000000 0018 3a ff 00000000000000000000000000000000"
    " ff0200000000000000000001ff000010 87 00 {sum} 00000000 fd000000000000000000000000000010"
)


def raw(text: str, total: str = "") -> bytes:
    return bytes.fromhex(text.format(sum=total))


def test_what_goes_over_the_wire_for_ipv4(program: t.Any) -> None:
    assert program.announcements(FOUR, MAC) == [raw(REQUEST), raw(REPLY)]
    assert program.question(FOUR, MAC) == raw(PROBE)


def test_what_goes_over_the_wire_for_ipv6(program: t.Any) -> None:
    """Its sums are right when all words of a packet and its pseudo header add up to all ones."""
    (told,), asked = program.announcements(SIX, MAC), program.question(SIX, MAC)
    assert [told, asked] == [raw(ADVERTISEMENT, told[56:58].hex()), raw(SOLICITATION, asked[56:58].hex())]
    for packet in (told, asked):
        counted = packet[22:54] + struct.pack("!II", len(packet) - 54, 58) + packet[54:]
        total = sum(struct.unpack(f"!{len(counted) // 2}H", counted))
        assert (total & 0xFFFF) + (total >> 16) == 0xFFFF


CLAIMS: dict[str, tuple[bytes, bytes, bytes]] = {
    "an answer of ARP": (raw(REPLY), FOUR, MAC),
    "its own announcement": (raw(REQUEST), FOUR, MAC),
    "who only asks": (raw(PROBE), FOUR, b""),
    "another address": (raw(REPLY), OTHER, b""),
    "an advertisement": (raw(ADVERTISEMENT, "0000"), SIX, MAC),
    "an advertisement without its hardware address": (raw(ADVERTISEMENT, "0000")[:78], SIX, MAC),
    "of another address": (raw(ADVERTISEMENT, "0000"), socket.inet_pton(socket.AF_INET6, "fd00::11"), b""),
    "a solicitation": (raw(SOLICITATION, "0000"), SIX, b""),
    "nothing": (b"", FOUR, b""),
    "a short one": (raw(REPLY)[:20], FOUR, b""),
}


@pytest.mark.parametrize(("packet", "address", "mac"), CLAIMS.values(), ids=CLAIMS)
def test_who_says_in_a_packet_that_it_has_the_address(
    program: t.Any, packet: bytes, address: bytes, mac: bytes
) -> None:
    assert program.claimant(packet, address) == mac
    assert neighbours.claimant(packet, address) == mac


@pytest.mark.parametrize("address", ["192.0.2.10/24", "fd00::10/64"])
def test_the_playbooks_ask_with_the_same_packet(program: t.Any, address: str) -> None:
    asked = program.question(program.packed(address), MAC)
    assert neighbours.question(neighbours.bare(address), MAC) == asked


class Line:
    """A line to the neighbours that keeps what is sent, and has something to read."""

    def __init__(self, heard: list[bytes]) -> None:
        self.sent: list[bytes] = []
        self.heard, self.closed = heard, False

    def getsockname(self) -> tuple[str, int, int, int, bytes]:
        return "eth0", 0, 0, 1, MAC

    def send(self, packet: bytes) -> None:
        self.sent.append(packet)

    def recv(self, _most: int) -> bytes:
        if not self.heard:
            raise BlockingIOError
        return self.heard.pop(0)

    def close(self) -> None:
        self.closed = True


def test_they_are_told_several_times_and_who_else_has_it_is_heard(
    program: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, line = [100.0], Line([])
    monkeypatch.setattr(program.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(program, "wire", lambda *_: line)
    told = program.Neighbours("192.0.2.10/24", "eth0")
    assert (len(line.sent), told.due(5), told.words()) == (2, 1, "")
    now[0] = 100.5
    told.go_on()
    assert len(line.sent) == 2  # not yet
    # its own are none of another one's
    line.heard = [raw(REPLY), raw(REPLY)[:22] + THEIRS + raw(REPLY)[28:]]
    for now[0] in (101, 102, 104, 108):
        told.go_on()
    assert (len(line.sent), told.due(5), line.closed) == (11, 5, True)
    # who else has it has told that everybody, and so they are told again
    assert line.sent.index(raw(PROBE)) == 4
    assert told.words() == "another host says that it has 192.0.2.10/24, too (02:00:00:00:00:02)"
    told.go_on()
    assert len(line.sent) == 11


def test_neighbours_that_cannot_be_told_are_tried_again(program: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now, line, answers = [0.0], Line([]), iter([OSError(1, "not permitted")] * 2)

    def wire(*_: str) -> Line:
        for error in answers:
            raise error
        return line

    monkeypatch.setattr(program.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(program, "wire", wire)
    told = program.Neighbours("192.0.2.10/24", "eth0")
    assert told.words() == "the neighbours of eth0 cannot be told of 192.0.2.10/24: not permitted"
    now[0] = 1
    told.go_on()
    assert (len(line.sent), told.words()) == (3, "")  # with the question


def test_an_interface_without_neighbours_is_told_nothing(program: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "wire", lambda *_: None)
    told = program.Neighbours("192.0.2.10/24", "tun0")
    assert (told.due(5), told.words()) == (1, "") or told.due(5) < 1


# what would keep it from the address


def test_a_dry_trial_says_what_is_missing(program: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"address": "127.0.0.9/8", "interface": "no-such"}
    assert program.wrong(settings) == "this host has no interface no-such"
    monkeypatch.setattr(program, "wire", lambda *_: None)
    monkeypatch.setattr(program, "CAPABILITIES", {"CAP_OF_NOBODY": 63})
    assert program.wrong({**settings, "interface": "lo"}) == "this process lacks CAP_OF_NOBODY"
    monkeypatch.setattr(program, "CAPABILITIES", {})
    monkeypatch.setattr(program, "PATH", "/no-such")
    assert program.wrong({**settings, "interface": "lo"}) == "this host has no program ip (iproute2)"
    monkeypatch.setattr(program, "PATH", "/usr/sbin:/usr/bin:/sbin:/bin")

    def wire(*_: str) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(program.shutil, "which", lambda *_, **__: "/usr/sbin/ip")
    assert program.wrong({**settings, "interface": "lo"}) == ""
    monkeypatch.setattr(program, "wire", wire)
    assert program.wrong({**settings, "interface": "lo"}) == "no packets can be sent on lo: Operation not permitted"


def test_what_was_held_goes_whatever_the_settings_say_by_then(
    program: t.Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    did: list[str] = []

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        did.append(" ".join(words))
        return subprocess.CompletedProcess(words, 0, "")

    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(program, "run", run)
    monkeypatch.setattr(program, "Neighbours", lambda *_: None)
    assert program.Holder("settings", {"address": "fd00::10/64", "interface": "eth0"}).add() == ""
    assert did == [
        "ip address delete fd00::10/64 dev eth0",
        "ip address replace fd00::10/64 dev eth0 nodad preferred_lft 0",
    ]
    did.clear()
    program.down("", {"address": "192.0.2.11/24", "interface": "eth1"})
    assert sorted(did) == ["ip address delete 192.0.2.11/24 dev eth1", "ip address delete fd00::10/64 dev eth0"]
    (tmp_path / "held").write_text("no such thing")
    did.clear()
    program.down("", {"address": "192.0.2.11/24", "interface": "eth1"})
    assert did == ["ip address delete 192.0.2.11/24 dev eth1"]
