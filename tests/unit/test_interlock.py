# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the boot interlock makes of its peers' answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from programs import INTERLOCK, PEER, loaded


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
        (False, False, 0, "standby"),
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
    (tmp_path / "peer.json").write_text(json.dumps(settings))

    def here(command: list[str], _seconds: int) -> str:
        environment = {"PATH": os.environ["PATH"], "SSH_ORIGINAL_COMMAND": command[-1]}
        answering = [sys.executable, "-I", PEER, str(tmp_path / "peer.json")]
        return subprocess.run(answering, capture_output=True, text=True, check=True, env=environment).stdout

    monkeypatch.setattr(interlock, "output_of", here)
    assert interlock.ask_host(settings, {"ssh_port": 22, "address": "smdw"}) == ("7", 3, what)


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
    monkeypatch.setattr(interlock, "output_of", lambda command, seconds: answer)
    settings = {"bin_directory": "/bin", "data_directory": "/data", "role": "r", "passfile": "/p", "sslmode": "prefer"}
    peer = {"address": "smdw", "port": 5432, "ssh_port": 22}
    assert interlock.ask_server(settings, peer) is None
    assert interlock.ask_host(settings, peer) is None


def test_what_a_program_prints_is_bounded(interlock: t.Any) -> None:
    assert interlock.output_of(["sh", "-c", "echo hello"], 10) == "hello\n"
    assert interlock.output_of(["sh", "-c", "ulimit -f 1; exec yes"], 10) is None
    assert interlock.output_of(["sleep", "60"], 1) is None
    assert interlock.output_of(["no-such-program"], 1) is None


def test_a_value_of_a_connection_string_is_one_value(interlock: t.Any) -> None:
    assert interlock.quoted("a' sslkey='b\\") == "'a\\' sslkey=\\'b\\\\'"


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
    done = subprocess.run([sys.executable, "-Ic", text, INTERLOCK], capture_output=True, text=True, check=False)
    who, rights = done.stdout.splitlines()
    assert who.endswith(") / ['HOME', 'LC_ALL', 'LOGNAME', 'PATH', 'USER']")
    assert not who.startswith("(0,")
    assert rights == "['0000000000000000', '1']"
    assert "PermissionError" in done.stderr
