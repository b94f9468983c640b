# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the program that holds the address makes of the server's files, as the server's user."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
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


def message(index: int, *attributes: tuple[int, bytes], kind: int = 20) -> bytes:
    """Return what the kernel says of an address (rtnetlink(7))."""
    content = struct.pack("=BBBBI", 2, 24, 0, 0, index)
    for name, value in attributes:
        attribute = struct.pack("=HH", 4 + len(value), name) + value
        content += attribute.ljust((len(attribute) + 3) & ~3, b"\0")
    return struct.pack("=IHHII", 16 + len(content), kind, 2, 1, 0) + content


LOCAL, OTHER = socket.inet_aton("192.0.2.10"), socket.inet_aton("192.0.2.11")


def test_messages_of_the_kernel_are_read(program: t.Any) -> None:
    data = message(2, (3, b"eth0\0"), (1, OTHER), (2, LOCAL)) + message(3, (1, LOCAL)) + message(4, kind=3)
    found = program.messages(data)
    assert [kind for kind, _content in found] == [20, 20, 3]
    assert [program.address_of(content) for _kind, content in found] == [(2, LOCAL), (3, LOCAL), (4, b"")]


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
        monkeypatch.setattr(program.subprocess, "Popen", lambda words, **_: self.did.append(words[0]))
        monkeypatch.setattr(program, "LOOK_SECONDS", 0.01)
        monkeypatch.setattr(program, "AGAIN_SECONDS", 0)
        self.kernel, self.line = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        settings = {"address": "192.0.2.10/24", "interface": "eth0", "wait_seconds": 1}
        self.holder = program.Holder("settings", settings)
        self.holder.announce = lambda kind: self.did.append(f"announced {kind}")

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        self.did.append(" ".join(words))
        code = self.adds.pop(0)
        return subprocess.CompletedProcess(words, code, "no device\n" if code else "")


ADD = "ip address replace 192.0.2.10/24 dev eth0"


def test_the_first_time_it_waits_for_the_server(program: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    master = Kept(program, monkeypatch, [None, None, True], [0])
    assert master.holder.first()
    assert master.did == [ADD, "announced -A", "announced -U"]
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
    assert kept.did[-3:] == [ADD, "announced -A", "announced -U"]
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
