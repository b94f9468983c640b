# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whom commits wait for, and for how long."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from harness import DATA, SERVICE, Ledger, Pair, changed, lab, mirroring, on, play, sql, until
from waiting import WITNESSES, goes_on, guard_of

RECORD = "/var/lib/hawq-mirroring-witness-hawq-master/record.json"


def test_it_is_set_up_and_a_second_run_changes_nothing(pair: Pair, tmp_path: Path) -> None:
    assert sql(pair.master, "SHOW synchronous_standby_names") == f'ANY 1 ("{pair.standby}")'
    assert guard_of(pair.master) == "SYNCHRONOUS"
    for host in pair:
        assert on(host, "systemctl is-active hawq-mirroring-guard-hawq-master.service") == "active"
    for host in WITNESSES:
        assert on(host, "systemctl is-active hawq-mirroring-witness-hawq-master.service") == "active"
    assert changed(play("init_segments")) == 0
    assert changed(play("resync_standby")) == 0
    play("state", "-e", "state_fail=false", "-e", f"state_file={tmp_path}/state.json")
    told = json.loads((tmp_path / "state.json").read_text())
    # a busy machine may answer an SSH login too late
    assert {row["kind"] for row in told["problems"]} <= {"cannot-ask"}
    assert {row["outcome"] for row in told["readiness"]} == {"works"}


LOST = {
    "killed": (
        lambda host: on(host, f"kill -9 $(head -1 {DATA}/postmaster.pid)"),
        lambda host: on(host, f"systemctl start {SERVICE}"),
    ),
    "frozen": (lambda host: lab("freeze", host), lambda host: lab("thaw", host)),
    "unplugged": (lambda host: lab("unplug", host), lambda host: lab("plug", host)),
}


@pytest.mark.parametrize("how", LOST)
def test_a_lost_standby_is_waited_for_again_when_it_is_back(pair: Pair, ledger: Ledger, how: str) -> None:
    lose, give_back = LOST[how]
    lose(pair.standby)
    until(lambda: guard_of(pair.master) == "ALONE", 60, "the master goes on alone")
    goes_on(ledger)
    assert mirroring(pair.master)[0] == "Not Synchronized"
    play("state", ok=False)
    give_back(pair.standby)
    until(lambda: mirroring(pair.master)[0] == "Synchronized", 90, "every commit waits again")
    goes_on(ledger)
    ledger.stop()
    assert ledger.missing_on(pair.standby) == []
    told = sql(pair.master, "SELECT summary_state FROM gp_master_mirroring_history LIMIT 10").split("\n")
    assert told[0] == "Synchronized"
    assert "Not Synchronized" in told


def test_a_minority_of_the_witnesses_is_not_needed(pair: Pair, ledger: Ledger) -> None:
    lab("power-off", WITNESSES[0])
    lab("power-off", pair.standby)
    until(lambda: guard_of(pair.master) == "ALONE", 60, "the master goes on alone")
    goes_on(ledger)


def test_without_their_majority_commits_wait(pair: Pair, ledger: Ledger) -> None:
    for host in WITNESSES[:2]:
        lab("power-off", host)
    goes_on(ledger)
    lab("power-off", pair.standby)
    until(lambda: guard_of(pair.master) == "DEGRADING", 60, "the master asks its witnesses")
    before = len(ledger.acknowledged)
    # three times as long as a majority would need
    with pytest.raises(AssertionError, match="commits go on"):
        goes_on(ledger, 20)
    assert len(ledger.acknowledged) == before
    lab("power-on", WITNESSES[0])
    until(lambda: guard_of(pair.master) == "ALONE", 60, "the master goes on alone")
    goes_on(ledger)


def asked_alone(host: str) -> str:
    """Return the number of the wish by which a master asks to go on alone, as its guard tells it; empty without one."""
    said = sql(host, "SELECT public.hawq_mirroring_guard() ->> 'reason'")
    found = re.search(r"granted wish (\d+) \(alone\)", said)
    return found[1] if found else ""


def test_by_the_operators_word_commits_go_on_all_the_same(pair: Pair, ledger: Ledger) -> None:
    """As the documentation says it for a standby and witnesses that do not come back."""
    for host in WITNESSES[:2]:
        lab("power-off", host)
    lab("power-off", pair.standby)
    until(lambda: asked_alone(pair.master), 60, "the master asks its witnesses whether it may go on alone")
    sql(pair.master, f"SELECT public.hawq_mirroring_go_on_alone({asked_alone(pair.master)})")
    until(lambda: guard_of(pair.master) == "ALONE", 60, "the master goes on alone")
    goes_on(ledger)
    # whoever comes back is told, so that a failover knows of it
    lab("power-on", WITNESSES[0])
    kept = f'python3 -c \'import json; print(json.load(open("{RECORD}"))["wish"]["kind"])\''
    until(lambda: on(WITNESSES[0], kept, check=False) == "alone", 60, "the witness has it on its disk")


def test_a_guard_that_is_killed_is_started_again(pair: Pair, ledger: Ledger) -> None:
    on(pair.master, "systemctl kill --signal=KILL hawq-mirroring-guard-hawq-master.service")
    lab("unplug", pair.standby)
    until(lambda: guard_of(pair.master) == "ALONE", 60, "the master goes on alone")
    goes_on(ledger)
