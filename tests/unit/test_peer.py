# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What another master host may have of this one by SSH: two things, and nothing that looks like them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import programs as own
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places
from programs import INTERLOCK, PEER, PEER_ELSEWHERE, loaded

CALL = own.peer_command("db.service")
SEGMENT = "000000010000000000000003"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory, and pg_controldata beside it."""
    data = tmp_path / "master"
    for name in ("global", "pg_wal"):
        (data / name).mkdir(parents=True)
    (data / "global" / "pg_control").touch()
    (data / "pg_wal" / "00000003.history").touch()
    (data / "pg_wal" / "no.history").touch()
    (data / "pg_wal" / SEGMENT).write_bytes(b"\0wal")
    program = tmp_path / "pg_controldata"
    program.write_text('#!/bin/sh\necho "Latest checkpoint\'s TimeLineID: 2\nDatabase system identifier: 7"\n')
    program.chmod(0o755)
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "peer.json").write_text(
        json.dumps({"data_directory": str(data), "bin_directory": str(tmp_path)})
    )
    return data


def asked(data: Path, original: str | None, *words: str) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"]}
    if original is not None:
        environment["SSH_ORIGINAL_COMMAND"] = original
    command = [sys.executable, "-c", PEER_ELSEWHERE, str(data.parent), *words]
    return subprocess.run(command, env=environment, capture_output=True, check=False, timeout=30)


@pytest.mark.parametrize("original", [f"{CALL} state", "db state"])
def test_the_state_is_told(data: Path, original: str) -> None:
    done = asked(data, original)
    assert (done.returncode, done.stderr) == (0, b"")
    expected = ["Latest checkpoint's TimeLineID: 2", "Database system identifier: 7", "00000003.history"]
    assert done.stdout.decode().splitlines() == expected


def test_with_a_login_the_same_call_does_the_same(data: Path) -> None:
    assert asked(data, None, "db", "state").stdout == asked(data, f"{CALL} state").stdout


def test_wal_files_are_given_one_after_the_other(data: Path) -> None:
    (data / "pg_wal" / "000000010000000000000004").write_bytes(b"more")
    assert asked(data, f"{CALL} wal {SEGMENT}").stdout == b"\0wal"
    assert asked(data, f"{CALL} wal {SEGMENT} 000000010000000000000004").stdout == b"\0walmore"


@pytest.mark.parametrize(
    "original",
    [
        None,
        "",
        "id",
        "/usr/lib/openssh/sftp-server",
        "internal-sftp",
        "scp -t /tmp",
        CALL,
        f"{CALL} state; id",
        f"{CALL} state id",
        f"{CALL} wal",
        f"{CALL} wal ../../../../etc/passwd",
        f"{CALL} wal {SEGMENT} ../PG_VERSION",
        f"{CALL} wal {SEGMENT}/../../PG_VERSION",
        f"{CALL} wal archive_status",
        f"{CALL} wal $(id)",
        f"id; {CALL} state",
        f"{own.peer_program()} ../db state",
        f"{own.peer_program()} .. state",
        f"{own.peer_program()} state",
    ],
)
def test_all_else_is_refused(data: Path, original: str | None) -> None:
    done = asked(data, original)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith("hawq-mirroring-peer: this key is good for the state of")


@pytest.mark.parametrize("kind", ["missing", "link", "pipe", "directory"])
def test_what_is_no_file_is_not_given(data: Path, kind: str) -> None:
    path = data / "pg_wal" / SEGMENT
    path.unlink()
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    done = asked(data, f"{CALL} wal {SEGMENT}")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"hawq-mirroring-peer: {SEGMENT} cannot be given")


def test_no_data(data: Path) -> None:
    (data / "global" / "pg_control").unlink()
    assert asked(data, f"{CALL} state").stdout == b"no data directory\n"


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ('{"data_directory": "%s"}', True),
        ('{"data_directory": "/elsewhere"}', False),
        ("[]", False),
        ("{", False),
        (None, False),
    ],
)
def test_no_data_on_purpose(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str | None, told: bool
) -> None:
    """Only with root's mark for this very directory, and only where no data is."""
    peer, settings = loaded(PEER), {"data_directory": f"{data}/", "bin_directory": str(tmp_path)}
    assert f"{peer.REMOVED}/db.removed.json" == places.removed("db.service")
    monkeypatch.setattr(peer, "REMOVED", str(tmp_path))
    if mark is not None:
        (tmp_path / "db.removed.json").write_text(mark.replace("%s", str(data)))
    assert "removed on purpose" not in peer.state(settings, "db")
    (data / "global" / "pg_control").unlink()
    assert peer.state(settings, "db") == ["no data directory", "removed on purpose"][: 1 + told]


def test_another_cluster_is_not_known(data: Path) -> None:
    done = asked(data, f"{own.peer_command('other')} state")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().strip().endswith("this host has no cluster whose server is run by other.service")


def test_pipes_in_place_of_files_keep_nobody_waiting(data: Path) -> None:
    os.mkfifo(data / "postmaster.pid")
    os.mkfifo(f"{data}.hawq-unfinished")
    assert asked(data, f"{CALL} state").stdout.decode().splitlines()[2:] == ["00000003.history"]


@pytest.mark.parametrize(
    ("pid", "runs"), [("", False), ("x", False), ("0", False), (str(os.getpid()), True), (f"-{os.getpid()}", True)]
)
def test_whether_it_runs(data: Path, pid: str, runs: bool) -> None:
    (data / "postmaster.pid").write_text(f"{pid}\n")
    assert loaded(PEER).runs(str(data)) is runs


def test_all_programs_call_it_alike() -> None:
    assert " ".join(loaded(PEER).CALL) == " ".join(loaded(INTERLOCK).PEER) == own.peer_program()
