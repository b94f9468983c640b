# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Three hosts: a further standby, what becomes of it when the master changes, and one standby instead of another.

Each test goes on where the one before has ended; who is the master is found by looking.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import harness
import pytest
from harness import (
    DATA,
    Ledger,
    Running,
    accepts_writes,
    changed,
    flat,
    lab,
    on,
    play,
    sql,
    until,
)

harness.INVENTORY = Path(__file__).resolve().parents[1] / "inventory"
HOSTS = ("mdw", "smdw", "smdw2")
STATES = "SELECT standby || ' ' || summary_state FROM hawq_mirroring_state() ORDER BY 1"
DOWN = ("-e", "master_is_down=true")


@pytest.fixture(scope="module", autouse=True)
def made() -> None:
    """Make a master and its first standby; the third host is empty."""
    play("init_master", "-e", "master_host=mdw")
    harness.open_to_clients()
    play("init_standby", "-e", "standby_host=smdw")


@pytest.fixture
def master() -> str:
    until(lambda: any(map(accepts_writes, HOSTS)), 60, "a master")
    return next(host for host in HOSTS if accepts_writes(host))


@pytest.fixture
def ledger(master: str) -> t.Iterator[Ledger]:
    """Give a client that knows all three hosts; never may two of them take rows."""
    last = sql(master, "SELECT coalesce(max(n), 0) + 1 FROM ledger")
    with Ledger(",".join(HOSTS), HOSTS, start=int(last)) as client:
        until(lambda: len(client.acknowledged) > 20, 30, "the first acknowledged rows")
        yield client
    assert client.two_writers() == []


def assert_mirrored(master: str, *standbys: str) -> None:
    """Exactly these standbys are synchronised: the master says so, and a row that is written now reaches them."""
    assert sql(master, STATES).split("\n") == [f"{name} Synchronized" for name in sorted(standbys)]
    sql(master, "INSERT INTO ledger (n) SELECT coalesce(max(n), 0) + 1 FROM ledger")
    rows = sql(master, "SELECT count(*), max(n) FROM ledger")
    for host in standbys:
        until(lambda host=host: sql(host, "SELECT count(*), max(n) FROM ledger") >= rows, 30, f"the rows on {host}")
    slots = sql(master, "SELECT slot_name FROM pg_replication_slots ORDER BY 1").split("\n")
    assert slots == [f"hawq_mirroring_{name}" for name in sorted(standbys)]
    play("state")


def test_a_further_standby_is_made_when_told(master: str, tmp_path: Path) -> None:
    refused = flat(play("init_standby", "-e", "standby_host=smdw2", ok=False))
    assert "the master already has the standby smdw" in refused
    assert "-e additional_standby=true" in refused
    assert "-e replace_standby=true" in refused
    assert on("smdw2", "ls -A /data 2>/dev/null", check=False) == ""

    play("init_standby", "-e", "standby_host=smdw2", "-e", "additional_standby=true")

    assert_mirrored(master, "smdw", "smdw2")
    for arguments in ((), ("-e", "standby_host=smdw"), ("-e", "standby_host=smdw2")):
        said = play("init_standby", *arguments)
        assert changed(said) == 0, said
    report = tmp_path / "state.json"
    assert "Further standby smdw2 = Synchronized" in flat(play("state", "-e", f"state_file={report}"))
    assert json.loads(report.read_text())["standbys"] == ["smdw", "smdw2"]


def test_case_48_both_follow_through_a_failover_and_the_way_back(master: str, ledger: Ledger, tmp_path: Path) -> None:
    """The server dies; a standby takes over, the other follows it, the old master comes back beside it."""
    report = tmp_path / "report.json"
    on(master, f"kill -9 $(head -1 {DATA}/postmaster.pid)")
    play("failover", "-e", f"report_file={report}")
    plan = json.loads(report.read_text())["plan"]
    new, (further,) = plan["new"], plan["followers"]
    assert_still = [f"{further} Synchronized"]
    assert sql(new, STATES).split("\n") == assert_still
    count = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > count + 20, 30, "rows on the new master")
    again = play("failover")
    assert "is the master already, nothing to activate" in flat(again)
    assert changed(again) == 0, again

    play("resync_standby")  # it finds by itself which host is not in order

    ledger.stop()
    assert_mirrored(new, master, further)
    for host in HOSTS:
        assert ledger.missing_on(host) == []
    said = play("resync_standby")
    assert changed(said) == 0, said


def test_case_48_both_follow_through_a_switchover(master: str, ledger: Ledger) -> None:
    refused = flat(play("switchover", ok=False))
    assert "has 2 standbys" in refused
    assert " or ansible-playbook " in refused, refused
    wanted = next(host for host in HOSTS if host != master)
    further = next(host for host in HOSTS if host not in (master, wanted))

    said = flat(play("switchover", "-e", f"master_host={wanted}"))

    assert f"Further standby {further} = Synchronized" in said
    ledger.stop()
    assert_mirrored(wanted, master, further)
    for host in HOSTS:
        assert ledger.missing_on(host) == []


def test_the_standby_that_is_ahead_takes_over(master: str, ledger: Ledger) -> None:
    """One standby is cut off, commits go on, the master's host dies: the other one has them, wherever it is listed."""
    behind, ahead = (host for host in HOSTS if host != master)
    lab("cut", master, behind)
    count = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > count + 50, 30, "rows that one standby lacks")
    ledger.lose(ahead, lambda: lab("power-off", master))
    lab("join", master, behind)
    refused = flat(play("failover", *DOWN, "-e", f"standby_host={behind}", ok=False))
    assert f"Name {ahead}" in refused

    said = flat(play("failover", *DOWN))

    assert f"{ahead} is the master now" in said
    assert f"Further standby {behind} = Synchronized" in said
    ledger.stop()
    assert ledger.lost_on(ahead) == []
    until(lambda: ledger.lost_on(behind) == [], 30, "all rows on the other standby")
    lab("power-on", master)
    play("resync_standby")
    assert_mirrored(ahead, master, behind)


def test_a_third_host_that_took_over_is_not_overlooked(master: str) -> None:
    """A standby that was away still follows the old master, and the new master cannot be looked at for a while."""
    new, straggler = (host for host in HOSTS if host != master)
    lab("power-off", straggler)
    on(master, f"kill -9 $(head -1 {DATA}/postmaster.pid)")
    said = flat(play("failover"))
    assert f"Further standby {straggler} = could NOT be told" in said
    lab("power-on", straggler)
    until(lambda: sql(straggler, "SELECT 1"), 60, "the straggler")
    lab("cut", "controller", new)
    refused = flat(play("failover", ok=False))
    assert "it may be the master by now" in refused
    assert not accepts_writes(straggler)
    lab("join", "controller", new)

    said = flat(play("failover"))

    assert "is the master already, nothing to activate" in said
    assert f"Further standby {straggler} = Synchronized" in said
    play("resync_standby")
    assert_mirrored(new, master, straggler)


def test_a_further_standby_that_may_hold_more_is_waited_for(master: str) -> None:
    """Its server has crashed, and the old master's disk is gone with its host."""
    behind, ahead = (host for host in HOSTS if host != master)
    sql(master, "CREATE TABLE IF NOT EXISTS bulk (n int); CHECKPOINT")
    lab("cut", master, behind)
    sql(master, "INSERT INTO bulk SELECT generate_series(1, 50000)")
    until(lambda: sql(ahead, "SELECT count(*) FROM bulk") != "0", 30, "the rows on the other standby")
    on(ahead, "systemctl kill -s KILL hawq-master")
    lab("power-off", master)
    lab("join", master, behind)
    refused = flat(play("failover", *DOWN, ok=False))
    assert f"{ahead} is a standby whose server is stopped" in refused
    assert f"and may hold WAL that {behind} lacks" in refused
    on(ahead, "systemctl start hawq-master")

    said = flat(play("failover", *DOWN))

    assert f"{ahead} is the master now" in said
    assert sql(ahead, "SELECT count(*) FROM bulk") == "50000"
    lab("power-on", master)
    play("resync_standby", "-e", f"standby_host={master}")
    assert_mirrored(ahead, master, behind)
    sql(ahead, "DROP TABLE bulk")


@pytest.mark.parametrize(
    "task", ["hawq.mirroring.standby : Observe the standby again", "Note when clients are served again"]
)
def test_case_33_a_killed_switchover_ends_at_the_host_that_was_meant(master: str, task: str) -> None:
    wanted = next(host for host in reversed(HOSTS) if host != master)
    running = Running("switchover", "-e", f"master_host={wanted}")
    running.wait_for_output(f"TASK [{task}]")
    running.kill()
    play("switchover", "-e", f"master_host={wanted}")
    assert_mirrored(wanted, *(host for host in HOSTS if host != wanted))


def test_case_33_killed_before_the_further_standby_was_told(master: str) -> None:
    """The next run tells it."""
    on(master, f"kill -9 $(head -1 {DATA}/postmaster.pid)")
    running = Running("failover")
    running.wait_for_output("TASK [hawq.mirroring.master : Activate it]")
    running.kill()

    said = flat(play("failover"))

    assert "Further standby" in said
    new = next(host for host in HOSTS if accepts_writes(host))
    assert sql(new, STATES).endswith(" Synchronized")
    play("resync_standby")
    assert_mirrored(new, *(host for host in HOSTS if host != new))


def test_one_standby_instead_of_another(master: str) -> None:
    """The new one is synchronised before the old one goes; the host of the second one to go is dead."""
    gone, stays = (host for host in HOSTS if host != master)
    play("remove_standby", "-e", f"standby_host={gone}", "-e", "existing_data=discard")
    assert_mirrored(master, stays)

    said = flat(play("init_standby", "-e", f"standby_host={gone}", "-e", "replace_standby=true"))

    assert f"Standby {stays} removed" in said
    assert_mirrored(master, gone)
    assert on(stays, "systemctl is-active hawq-master.service", check=False) == "inactive"
    play("switchover", "--check")  # it would not be refused

    lab("power-off", gone)
    keep = ("-e", "existing_data=discard")
    said = flat(play("init_standby", "-e", f"standby_host={stays}", "-e", "replace_standby=true", *keep))
    assert f"Standby {gone} removed" in said
    assert sql(master, STATES) == f"{stays} Synchronized"
    lab("power-on", gone)
