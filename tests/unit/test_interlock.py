# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the boot interlock makes of its peers' answers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from programs import INTERLOCK, PEER_ELSEWHERE, loaded


@pytest.fixture
def interlock() -> t.Any:
    return loaded(INTERLOCK)


OWN = ("7711", 2)
ANSWERS: dict[str, tuple[tuple[str, int, str] | None, str]] = {
    "its standby": (("7711", 2, "standby"), "safe"),
    "a standby that is behind a timeline": (("7711", 1, "standby"), "safe"),
    "a new master": (("7711", 3, "master"), "newer"),
    "a new master that is stopped by now": (("7711", 3, "stopped"), "newer"),
    "a standby of a newer master": (("7711", 3, "standby"), "newer"),
    "a writer on the same timeline": (("7711", 2, "master"), "newer"),
    "a left-behind master that still writes": (("7711", 1, "master"), "newer"),
    "a left-behind master that is stopped": (("7711", 1, "stopped"), "safe"),
    "one that may start at the same moment": (("7711", 2, "stopped"), "silent"),
    "what was left half-way, on a newer timeline": (("7711", 3, "half-way"), "silent"),
    "what was left half-way, on the same timeline": (("7711", 2, "half-way"), "safe"),
    "another system": (("9999", 3, "master"), "silent"),
    "no answer": (None, "silent"),
}


@pytest.mark.parametrize(("answer", "verdict"), ANSWERS.values(), ids=ANSWERS)
def test_answers(interlock: t.Any, answer: tuple[str, int, str] | None, verdict: str) -> None:
    assert interlock.judge(OWN, answer) == verdict


def test_a_promotion_shows_before_its_checkpoint(interlock: t.Any) -> None:
    """The control file tells the old timeline until the first checkpoint, history files the new one at once."""
    text = (
        "Database system identifier:           7711\n"
        "Latest checkpoint's TimeLineID:       1\n"
        "00000002.history\n"
        "00000003.history\n"
        "/data/pg_wal/00000004.history.old\n\udcff.history\nFFFFFFFFF.history\n.history\nx00000005.history\n"
    )
    assert interlock.control_of(text) == ("7711", 3)
    with pytest.raises(KeyError):
        interlock.control_of("")


def test_a_directory_that_a_rewind_left_half_way_is_not_started(interlock: t.Any, tmp_path: Path) -> None:
    data, mark = tmp_path / "master", tmp_path / "master.hawq-unfinished"
    data.mkdir()
    assert not interlock.left_half_way(str(data))
    mark.write_text(json.dumps({"inode": data.stat().st_ino}))
    assert interlock.left_half_way(f"{data}/")
    mark.write_text(json.dumps({"inode": data.stat().st_ino + 1}))  # another directory has taken its place
    assert not interlock.left_half_way(str(data))
    mark.write_text("")
    assert interlock.left_half_way(str(data))


@pytest.mark.parametrize(
    ("standby", "running", "inode", "what"),
    [
        (False, False, None, "stopped"),
        (True, False, None, "standby"),
        (True, True, None, "standby"),
        (False, True, None, "master"),
        (False, False, 0, "half-way"),
        (True, False, 0, "half-way"),
        (False, False, 1, "stopped"),
        (False, True, 0, "master"),  # somebody has started it past its unit
    ],
)
def test_what_the_files_of_a_peer_say(
    interlock: t.Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    standby: bool,
    running: bool,
    inode: int | None,
    what: str,
) -> None:
    """Stopped, a standby, left half-way by a resynchronisation, or with the mark of an earlier directory."""
    data = tmp_path / "master"
    for name in ("global", "pg_wal"):
        (data / name).mkdir(parents=True)
    (data / "global" / "pg_control").touch()
    (data / "pg_wal" / "00000003.history").touch()
    program = tmp_path / "pg_controldata"
    program.write_text('#!/bin/sh\necho "Latest checkpoint\'s TimeLineID: 2\nDatabase system identifier: 7"\n')
    program.chmod(0o755)
    if standby:
        (data / "standby.signal").touch()
    if running:
        (data / "postmaster.pid").write_text(f"{os.getpid()}\n")
    if inode is not None:
        mark = json.dumps({"inode": data.stat().st_ino + inode, "at": 1.5})
        (tmp_path / "master.hawq-unfinished").write_text(mark)

    settings = {"data_directory": str(data), "bin_directory": str(tmp_path)}
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "peer.json").write_text(json.dumps(settings))

    def here(command: list[str], _seconds: int) -> tuple[str, str]:
        environment = {"PATH": os.environ["PATH"], "SSH_ORIGINAL_COMMAND": command[-1]}
        answering = [sys.executable, "-c", PEER_ELSEWHERE, str(tmp_path)]
        return subprocess.run(answering, capture_output=True, text=True, check=True, env=environment).stdout, ""

    monkeypatch.setattr(interlock, "output_of", here)
    assert interlock.ask_host(settings, {"ssh_port": 22, "address": "smdw", "unit": "db.service"}) == (
        ("7", 3, what),
        "",
    )


@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "unreadable", "deep"])
def test_a_mark_that_is_none_keeps_the_server_from_starting_and_nobody_waiting(
    interlock: t.Any, tmp_path: Path, kind: str
) -> None:
    data, mark = tmp_path / "master", tmp_path / "master.hawq-unfinished"
    data.mkdir()
    if kind == "pipe":
        os.mkfifo(mark)
    elif kind == "link to a pipe":
        os.mkfifo(tmp_path / "pipe")
        mark.symlink_to(tmp_path / "pipe")
    elif kind == "deep":
        mark.write_text("[" * 100000)
    else:
        mark.mkdir()
    assert interlock.left_half_way(str(data))


@pytest.mark.parametrize("answer", ["", "x", "7711\noff", "7711|two\noff", "|\n", "7711|2", None])
def test_nonsense_of_a_peer_is_no_answer(interlock: t.Any, monkeypatch: pytest.MonkeyPatch, answer: str | None) -> None:
    monkeypatch.setattr(interlock, "output_of", lambda command, seconds: (answer, "why"))
    settings = {"bin_directory": "/bin", "data_directory": "/data", "role": "r", "passfile": "/p", "sslmode": "prefer"}
    peer = {"address": "smdw", "port": 5432, "ssh_port": 22, "unit": "db.service"}
    assert interlock.ask_server(settings, peer) == (None, "why")
    assert interlock.ask_host(settings, peer) == (None, "why")


def test_what_a_program_prints_is_bounded(interlock: t.Any) -> None:
    assert interlock.output_of(["sh", "-c", "echo hello"], 10)[0] == "hello\n"
    assert interlock.output_of(["sh", "-c", "ulimit -f 1; exec yes"], 10)[0] is None
    assert interlock.output_of(["sleep", "60"], 1) == (None, "no answer within 1 s")
    assert interlock.output_of(["no-such-program"], 1) == (
        None,
        "no-such-program cannot be run: No such file or directory",
    )
    assert interlock.output_of(["sh", "-c", "exit 3"], 10) == (None, "exit code 3")


def test_a_value_of_a_connection_string_is_one_value(interlock: t.Any) -> None:
    assert interlock.quoted("a' sslkey='b\\") == "'a\\' sslkey=\\'b\\\\'"


COMPLAINTS = {
    "the last one": (
        "Warning: added a key.\nops: Permission denied (publickey).",
        "ops: Permission denied (publickey)",
    ),
    "no hint": ("x failed: Connection refused\n\tIs the server running on that host?", "x failed: Connection refused"),
    "one line": ("a\\033[31mb\\000c", "a [31mb c"),
}


@pytest.mark.parametrize(("printed", "why"), COMPLAINTS.values(), ids=COMPLAINTS)
def test_the_complaint_of_a_program_is_the_reason(interlock: t.Any, printed: str, why: str) -> None:
    assert interlock.output_of(["sh", "-c", f"printf '%b' '{printed}' >&2; exit 1"], 10) == (None, why)


PEERS = [
    {"name": name, "address": name, "port": 5432, "ssh_port": 22, "unit": "db.service"} for name in ("smdw", "sdw1")
]
STANDBY, STOPPED = ("7711", 2, "standby"), ("7711", 2, "stopped")
PSQL = 'psql: error: connection to server at "smdw" (::1), port 5432 failed: FATAL:  password authentication failed'
SILENCES: dict[str, tuple[str, str | None, str, str]] = {
    "no login": (
        PSQL,
        None,
        "Permission denied (publickey)",
        "smdw cannot be asked: neither its server (FATAL:  password authentication failed) nor its host by SSH"
        " (Permission denied (publickey))",
    ),
    "no data": (PSQL, "no data directory", "", "smdw has no data directory: is its file system mounted?"),
    "equal right": (
        PSQL,
        "Database system identifier: 7711\nLatest checkpoint's TimeLineID: 2",
        "",
        "smdw is stopped on the same timeline and has the same right to be the master: let the last one start",
    ),
    "another system": (
        PSQL,
        "Database system identifier: 9\nLatest checkpoint's TimeLineID: 2",
        "",
        "smdw holds another database system (identifier 9)",
    ),
}


@pytest.mark.parametrize(("psql", "files", "ssh", "why"), SILENCES.values(), ids=SILENCES)
def test_it_says_why_it_waits(
    interlock: t.Any, monkeypatch: pytest.MonkeyPatch, psql: str, files: str | None, ssh: str, why: str
) -> None:
    def output_of(command: list[str], _seconds: int) -> tuple[str | None, str]:
        return (files, ssh) if command[0] == "ssh" else (None, psql)

    monkeypatch.setattr(interlock, "output_of", output_of)
    settings = {"role": "r", "passfile": "/p", "sslmode": "prefer", "bin_directory": "/b"}
    assert interlock.still_open({**settings, "peers": PEERS[:1]}, OWN) == {"smdw": why}


def test_data_that_was_deleted_on_purpose_is_nobodys_master(interlock: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interlock, "output_of", lambda *_: ("no data directory\nremoved on purpose\n", ""))
    monkeypatch.setattr(interlock, "own_state", lambda settings: OWN)
    answer, _why = interlock.ask_host({}, PEERS[0])
    assert interlock.judge(OWN, answer) == "safe"


GOES_ON = {
    "a newer master": (("7711", 3, "master"), "is a master of the same system, on", "hawq.mirroring.resync_standby"),
    "a left-behind master": (("7711", 1, "master"), "is a master of the same system, on", "hawq.mirroring.state"),
    "a newer one that is stopped": (("7711", 3, "stopped"), "is stopped, on", "systemctl start db.service on smdw"),
    "a newer one's standby": (("7711", 3, "standby"), "is a standby of a newer master", "hawq.mirroring.state"),
}


@pytest.mark.parametrize(("answer", "found", "goes_on"), GOES_ON.values(), ids=GOES_ON)
def test_beside_a_newer_one_the_next_command_is_named(
    interlock: t.Any, answer: tuple[str, int, str], found: str, goes_on: str
) -> None:
    said = interlock.forbidden(OWN, PEERS[0], answer)
    assert found in said
    assert goes_on in said
    assert "-e cluster=" not in said
    said = interlock.forbidden(OWN, {**PEERS[0], "cluster": "orders"}, answer)
    assert ("hawq.mirroring" in said) == ("-e cluster=orders" in said)


class Night:
    """The answers of the other hosts, round by round; the last round goes on for ever. A round may be an act."""

    def __init__(self, interlock: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch, rounds: list[t.Any]) -> None:
        self.asked, self._rounds = 0, rounds
        self.root, self.line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._interlock = interlock
        self.settings = {
            "data_directory": str(data),
            "peers": PEERS,
            "permission": "/run/permission",
            "start_without_witness": False,
            "wait_seconds": 0,
        }
        monkeypatch.setattr(interlock, "FIRST_PAUSE", 0.01)
        monkeypatch.setattr(interlock, "own_state", lambda settings: OWN)
        monkeypatch.setattr(interlock, "ask", self._ask)

    def _ask(self, _settings: t.Any, peer: dict[str, t.Any]) -> tuple[t.Any, str]:
        self.asked += 1
        assert self.asked < 100, "it asks for ever"
        now = self._rounds[min((self.asked - 1) // 2, len(self._rounds) - 1)]
        if callable(now):
            now()
            return None, "is silent"
        return now[peer["name"]], "is silent"

    def ends(self, permitted: bool = False) -> None:
        self._interlock.may_start(self.settings, permitted, self.line)

    def told(self) -> str:
        return self.root.recv(4096, socket.MSG_DONTWAIT).decode()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = tmp_path / "master"
    data.mkdir()
    return data


def both(one: t.Any, other: t.Any) -> dict[str, t.Any]:
    return {"smdw": one, "sdw1": other}


def test_it_waits_until_all_have_answered(
    interlock: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    night = Night(interlock, data, monkeypatch, [both(None, None), both(STANDBY, None), both(STANDBY, STANDBY)])
    night.ends()
    assert night.asked == 6
    assert night.told() == "smdw is silent; sdw1 is silent"
    assert night.told() == "sdw1 is silent"
    said = capsys.readouterr().out.splitlines()
    assert [line.count("touch /run/permission") for line in said] == [1, 1]


def test_an_answer_of_an_earlier_round_does_not_count(
    interlock: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first host has taken over while the second one was silent."""
    night = Night(interlock, data, monkeypatch, [both(STANDBY, None), both(("7711", 3, "master"), STANDBY)])
    with pytest.raises(SystemExit, match="smdw is a master of the same system, on timeline 3"):
        night.ends()


def test_a_newer_one_ends_the_waiting(interlock: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = Night(interlock, data, monkeypatch, [both(None, ("7711", 3, "stopped"))])
    with pytest.raises(SystemExit, match=r"Start that one first \(systemctl start db.service on sdw1\)"):
        night.ends(permitted=True)
    assert night.asked == 2


def test_the_same_silence_is_said_once(
    interlock: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interlock, "LONGEST_PAUSE", 0.01)
    night = Night(interlock, data, monkeypatch, [both(None, STANDBY)] * 9 + [both(STANDBY, STANDBY)])
    night.ends()
    assert capsys.readouterr().out.count("smdw is silent") == 1


def test_a_permission_before_and_meanwhile(
    interlock: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    night = Night(interlock, data, monkeypatch, [both(None, STANDBY)])
    night.ends(permitted=True)
    assert night.asked == 2
    monkeypatch.setattr(interlock, "FIRST_PAUSE", 60)  # which nobody waits for
    night.root.send(b"!")
    night.ends()
    assert night.asked == 6
    assert "smdw could not be asked; started all the same" in capsys.readouterr().out


def test_without_root_it_does_not_go_on(interlock: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = Night(interlock, data, monkeypatch, [both(None, STANDBY)])
    night.root.close()
    with pytest.raises((SystemExit, OSError)):
        night.ends()


def test_without_witness_after_a_while(interlock: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = Night(interlock, data, monkeypatch, [both(None, None)])
    night.settings.update(start_without_witness=True, wait_seconds=0.02)
    night.ends()
    assert night.asked > 2


def test_what_becomes_of_the_data_meanwhile_counts(
    interlock: t.Any, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fenced, it may start as a standby; with a resynchronisation on its way it may not at all."""
    night = Night(interlock, data, monkeypatch, [both(None, None), (data / "standby.signal").touch])
    night.ends()
    (data / "standby.signal").unlink()
    mark = Path(f"{data}.hawq-unfinished")
    night = Night(interlock, data, monkeypatch, [lambda: mark.write_text("{}")])
    with pytest.raises(SystemExit, match="a resynchronisation was interrupted"):
        night.ends(permitted=True)


def test_root_hands_the_permission_on_once_and_shows_what_is_waited_for(
    interlock: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    permission = tmp_path / "permission"
    monkeypatch.setattr(
        interlock.os, "lstat", lambda path: SimpleNamespace(st_uid=0 if permission.exists() else 1, st_size=0)
    )
    systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    systemd.bind(str(tmp_path / "notify"))
    systemd.settimeout(10)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    its.settimeout(10)
    root = threading.Thread(target=interlock.serve, args=(mine, str(permission)))
    root.start()
    its.send(b"smdw is silent\nMAINPID=1\nREADY=1")
    assert systemd.recv(4096) == b"STATUS=smdw is silent MAINPID=1 READY=1"
    permission.touch()
    assert its.recv(9) == b"!"
    assert not permission.exists()
    its.send(b"\xff" * 5000)
    assert len(systemd.recv(4096)) < 2000
    its.close()
    root.join(10)
    assert not root.is_alive()


def test_only_roots_permission_counts(interlock: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "permission"
    assert not interlock.taken(str(path))
    path.touch()
    monkeypatch.setattr(interlock.os, "lstat", lambda path: SimpleNamespace(st_uid=1000))
    assert not interlock.taken(str(path))
    assert path.exists()


AGES: dict[str, tuple[str, float, bool]] = {
    "an operator's of just now": ("", 0, True),
    "an operator's of last week": ("", 7 * 86400, True),
    "a run's of just now": ("switchover-20261127T074408Z-3f9a\n", 1, True),
    "a run's that was killed": ("switchover-20261127T074408Z-3f9a\n", 121, False),
    "a run's of tomorrow": ("switchover-20261127T074408Z-3f9a\n", -3600, False),
}


@pytest.mark.parametrize(("text", "age", "allows"), AGES.values(), ids=AGES)
def test_a_runs_permission_is_good_for_its_own_start(
    interlock: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, age: float, allows: bool
) -> None:
    path = tmp_path / "permission"
    path.write_text(text)
    found = SimpleNamespace(st_uid=0, st_size=len(text), st_mtime=interlock.time.time() - age)
    monkeypatch.setattr(interlock.os, "lstat", lambda path: found)
    assert interlock.taken(str(path)) is allows
    assert not path.exists()


def test_a_server_that_starts_has_its_data_again(interlock: t.Any, tmp_path: Path) -> None:
    mark = tmp_path / "removed.json"
    settings = {"data_directory": "/data/master/", "removed": str(mark)}
    interlock.there_again(settings)
    mark.write_text(json.dumps({"data_directory": "/data/other"}))
    interlock.there_again(settings)
    assert mark.exists()
    mark.write_text(json.dumps({"data_directory": "/data/master"}))
    interlock.there_again(settings)
    assert not mark.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("half_way", "code"), [(False, 0), (True, 1)])
def test_the_whole_program(tmp_path: Path, half_way: bool, code: int) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "master").mkdir(mode=0o755)
    permission = tmp_path / "permission"
    permission.touch()
    if half_way:
        (tmp_path / "master.hawq-unfinished").touch()
    settings = {
        "user": "nobody",
        "data_directory": str(tmp_path / "master"),
        "peers": [],
        "permission": str(permission),
        "start_without_witness": False,
        "wait_seconds": 1,
    }
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    for path in tmp_path.parents:
        if path.stat().st_uid == 0 and str(path).startswith(str(tmp_path.parents[1])):
            path.chmod(0o755)
    environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "none")}
    done = subprocess.run(
        [sys.executable, "-I", INTERLOCK, str(tmp_path / "settings.json")],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=30,
    )
    assert done.returncode == code, done.stderr
    assert ("a resynchronisation was interrupted" in done.stderr) is half_way
    assert not permission.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_it_becomes_the_servers_user_for_good(tmp_path: Path) -> None:
    text = (
        "import importlib.machinery, os, sys\n"
        "program = importlib.machinery.SourceFileLoader('interlock', sys.argv[1]).load_module()\n"
        "os.environ.update(LD_X='1', PGHOST='evil')\n"
        "program.become('nobody')\n"
        "print(os.getresuid(), os.getcwd(), sorted(os.environ))\n"
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith(('NoNewPrivs', 'CapEff'))])\n"
        "os.setuid(0)\n"
    )
    done = subprocess.run([sys.executable, "-IBc", text, INTERLOCK], capture_output=True, text=True, check=False)
    who, rights = done.stdout.splitlines()
    assert who.endswith(") / ['HOME', 'LC_ALL', 'LOGNAME', 'PATH', 'USER']")
    assert not who.startswith("(0,")
    assert rights == "['0000000000000000', '1']"
    assert "PermissionError" in done.stderr
