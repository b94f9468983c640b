# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the program that holds the address makes of the server's files, as the server's user."""

from __future__ import annotations

import json
import os
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
