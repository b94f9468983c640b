# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ending a server, and a pg_rewind: fast, then immediate, then at once, each bounded.

The marks that keep it ended are ``fencing``'s; whether it may be ended is judged on the controller.

Source: PostgreSQL manual, "Shutting Down the Server".
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import typing as t

from ...host import files
from ...host.errors import MirroringError
from ...host.run import Runner

IMMEDIATE_SECONDS = 5
KILL_SECONDS = 10


def workers(data_directory: str) -> list[int]:
    """Return every process of a server: postmaster and its children work in the data directory."""
    real, found = os.path.realpath(data_directory), []
    for pid in _running("postgres"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/cwd") == real:
                found.append(pid)
    return found


def _running(program: str) -> t.Iterator[int]:
    """Yield the processes of a program. After an upgrade of its package it goes by the name "postgres (deleted)"."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.path.basename(os.readlink(f"/proc/{pid}/exe")).split(" ")[0] == program:
                yield int(pid)


def end_rewind(data_directory: str) -> bool:
    """End a pg_rewind that outlives its module and would go on to write; return whether one did. To be called alone."""
    argument, there = f"--target-pgdata={data_directory}", False
    deadline = time.monotonic() + KILL_SECONDS
    while found := [pid for pid in _running("pg_rewind") if argument in _arguments(pid)]:
        there = True
        for pid in found:
            _signal(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise MirroringError(f"a pg_rewind still writes into {data_directory} (process {found[0]}): end it")
        time.sleep(0.05)
    return there


def _arguments(pid: int) -> list[str]:
    return (files.text_of(f"/proc/{pid}/cmdline") or "").split("\0")


def gone(data_directory: str, seconds: float) -> bool:
    """Wait, bounded, until no process of the server is left."""
    deadline = time.monotonic() + seconds
    while workers(data_directory):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def drain(data_directory: str, postmaster: int | None, seconds: int) -> bool:
    """Let no new session in and wait, bounded, until the open ones have ended (a smart shutdown); return whether so."""
    _signal(postmaster, signal.SIGTERM)
    return gone(data_directory, seconds)


def stop(run: Runner, unit: str, data_directory: str, postmaster: int | None, frozen: bool, seconds: int) -> str:
    """Stop the server; return how it ended: fast, immediate, killed, or "" when it would not die.

    A frozen server is killed as it is: woken, it would go on to serve.
    """
    if not frozen:
        run.root(["systemctl", "stop", "--no-block", unit], timeout=10)
        _signal(postmaster, signal.SIGINT)
        if gone(data_directory, seconds):
            return "fast"
        _signal(postmaster, signal.SIGQUIT)
        if gone(data_directory, IMMEDIATE_SECONDS):
            return "immediate"
    # all of them before systemd hears of it, which would wake them
    for pid in {*workers(data_directory), *([postmaster] if postmaster else [])}:
        _signal(pid, signal.SIGKILL)
    if not gone(data_directory, KILL_SECONDS):
        return ""
    code, _output, _errors = run.root(["systemctl", "stop", unit], timeout=30)
    return "killed" if code == 0 and gone(data_directory, 0) else ""


def _signal(pid: int | None, number: signal.Signals) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
