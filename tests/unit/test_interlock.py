# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the boot interlock makes of its peers' answers."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import subprocess
import typing as t
from pathlib import Path

import pytest

PROGRAM = str(Path(__file__).parents[2] / "roles/server/files/hawq-mirroring-interlock")


@pytest.fixture(scope="module")
def interlock() -> t.Any:
    loader = importlib.machinery.SourceFileLoader("interlock", PROGRAM)
    spec = importlib.util.spec_from_loader("interlock", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


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

    def here(command: list[str], _user: str, _seconds: int) -> str:
        return subprocess.run(["sh", "-c", command[-1]], capture_output=True, text=True, check=True).stdout

    monkeypatch.setattr(interlock, "output_of", here)
    settings = {"data_directory": str(data), "bin_directory": str(tmp_path), "user": "gpadmin"}
    assert interlock.ask_host(settings, {"ssh_port": 22, "address": "smdw"}) == ("7", 3, what)
