# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two operators at once (A11): what one has built on, the other's rescue must not tear down. One host takes writes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import typing as t
from pathlib import Path

import pytest
from harness import (
    DATA,
    PERMISSION,
    SERVICE,
    Ledger,
    Pair,
    Running,
    accepts_writes,
    flat,
    lab,
    mirroring,
    on,
    play,
    sql,
    until,
)

THROUGH_ADDRESS = pytest.mark.parametrize("ledger", ["10.77.0.100"], indirect=True)
THROUGH_BOTH = pytest.mark.parametrize("ledger", ["mdw,smdw"], indirect=True)


@contextlib.contextmanager
def held_after_the_fence(pair: Pair) -> t.Iterator[Running]:
    """Give the switchover of operator A, held where its master is fenced and before anything else is done."""
    run = Running("switchover", "-e", f"master_host={pair.standby}")
    try:
        run.wait_for_output("TASK [Judge]")
        until(lambda: a_task_is_done(run) and fenced_by(pair.master), 60, "the fence of A")
        yield run
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(run.process.pid, signal.SIGCONT)
            run.end()


def a_task_is_done(run: Running) -> bool:
    """Let the process that starts the tasks run for a blink; a task that it has started in it is waited for."""
    pid = run.process.pid
    os.kill(pid, signal.SIGCONT)
    time.sleep(0.03)
    os.kill(pid, signal.SIGSTOP)
    until(lambda: not workers(pid), 60, "the end of the task")
    return True


def workers(pid: int) -> list[str]:
    """Return the processes that do a playbook's tasks just now."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    states = {}
    for child in children:
        with contextlib.suppress(FileNotFoundError):
            states[child] = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
    return [child for child, state in states.items() if state != "Z"]


def goes_on(run: Running) -> str:
    """Let operator A's run go on, and expect it to fail; return what it printed."""
    os.kill(run.process.pid, signal.SIGCONT)
    code, output = run.end()
    assert code != 0, output
    return flat(output)


def fenced_by(host: str) -> str:
    """Return the run that has fenced a host; nothing when none has."""
    record = on(host, f"cat {DATA}/hawq_mirroring.fence 2>/dev/null", check=False)
    return str(json.loads(record)["run"]) if record else ""


def takes_a_row(host: str) -> bool:
    """Whether a client's row is committed there."""
    insert = "CREATE TABLE IF NOT EXISTS two (host text); INSERT INTO two VALUES ('row')"
    command = f'cd / && runuser -u gpadmin -- psql -h /tmp -XAtqd postgres -v ON_ERROR_STOP=1 -c "{insert}"'
    return on(host, f"{command} >/dev/null 2>&1 && echo taken", check=False) == "taken"


@THROUGH_BOTH
def test_case_a11_whom_another_operators_failover_has_activated_stays_the_only_master(
    pair: Pair, ledger: Ledger
) -> None:
    """The first has lost its way to the new master, and sees nothing of what has happened."""
    with held_after_the_fence(pair) as first:
        mine = fenced_by(pair.master)
        assert mine.startswith("switchover-")
        said = play("failover")
        assert f"{pair.standby} is the master" in flat(said)
        assert fenced_by(pair.master).startswith("failover-")
        lab("cut", "controller", pair.standby)
        said = goes_on(first)
        lab("join", "controller", pair.standby)
    assert f"{pair.master} was not started again" in said, said
    assert f"not by this one ({mine})" in said, said
    assert "hawq.mirroring.state" in said, said
    assert [takes_a_row(host) for host in pair] == [False, True]
    assert on(pair.master, f"systemctl is-active {SERVICE}", check=False) != "active"
    play("resync_standby")
    ledger.stop()
    assert ledger.missing_on(pair.standby) == []
    assert mirroring(pair.standby)[0] == "Synchronized"


@THROUGH_BOTH
def test_a_master_that_another_operator_has_declared_dead_asks_before_it_starts_again(
    pair: Pair, ledger: Ledger
) -> None:
    """The second could not reach the old master, so its fence is still the first's alone: its interlock asks."""
    with held_after_the_fence(pair) as first:
        lab("cut", "controller", pair.master)
        play("failover", "-e", "master_is_down=true")
        lab("join", "controller", pair.master)
        lab("cut", "controller", pair.standby)
        assert fenced_by(pair.master).startswith("switchover-")
        said = goes_on(first)
        lab("join", "controller", pair.standby)
    assert f"{pair.master} was told to start" in said, said
    assert [takes_a_row(host) for host in pair] == [False, True]
    assert f"{pair.standby} is a master" in on(pair.master, f"journalctl -u {SERVICE} -n 30 -o cat")
    play("resync_standby")
    ledger.stop()
    assert ledger.missing_on(pair.standby) == []


@THROUGH_BOTH
def test_a_standby_that_is_seen_as_the_master_is_left_so(pair: Pair, ledger: Ledger) -> None:
    with held_after_the_fence(pair) as first:
        play("failover")
        said = goes_on(first)
    assert f"{pair.standby} is a master that accepts writes: another run has made it the master meanwhile" in said, said
    assert f"hawq.mirroring.resync_standby -e standby_host={pair.master}" in said, said
    assert [takes_a_row(host) for host in pair] == [False, True]
    play("resync_standby", "-e", f"standby_host={pair.master}")
    ledger.stop()
    assert ledger.missing_on(pair.standby) == []


@THROUGH_ADDRESS
def test_a_switchover_whose_standby_dies_gives_the_old_master_its_service_back(pair: Pair, ledger: Ledger) -> None:
    """The standby's host answers, and says that its server is no master."""
    with held_after_the_fence(pair) as run:
        on(pair.standby, f"systemctl stop {SERVICE}")
        said = goes_on(run)
    assert f"and {pair.master} is the master again" in said, said
    count = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > count + 20, 30, "commits through the address")
    # the permission was used up
    left = f"ls {DATA}/standby.signal {DATA}/hawq_mirroring.fence {PERMISSION} 2>/dev/null"
    assert on(pair.master, left, check=False) == ""
    ledger.stop()
    assert ledger.missing_on(pair.master) == []


@THROUGH_BOTH
def test_a_master_whose_standbys_host_is_off_waits_until_it_answers_or_is_allowed(pair: Pair, ledger: Ledger) -> None:
    with held_after_the_fence(pair) as run:
        lab("power-off", pair.standby)
        said = goes_on(run)
    assert f"{pair.master} was told to start, and does so when {pair.standby} answers that it is no master" in said, (
        said
    )
    command = f"touch {PERMISSION} && systemctl start {SERVICE}"
    assert f"run this on {pair.master}: {command}" in said, said
    assert not accepts_writes(pair.master)
    on(pair.master, command)
    until(lambda: accepts_writes(pair.master), 30, "the master serves as it is allowed to")
    ledger.stop()
    assert ledger.missing_on(pair.master) == []
    assert sql(pair.master, "SELECT pg_is_in_recovery()") == "f"
