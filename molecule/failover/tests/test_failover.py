# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""failover.yml in every state that a pair can be in. Each test begins with a synchronised one, ends with one master."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from harness import (
    DATA,
    LAB,
    PERMISSION,
    ROOT,
    SERVICE,
    Ledger,
    Pair,
    Running,
    accepts_writes,
    changed,
    flat,
    lab,
    mirroring,
    on,
    play,
    play_at_terminal,
    sql,
    until,
)

THROUGH_BOTH = pytest.mark.parametrize("ledger", ["mdw,smdw"], indirect=True)
THROUGH_ADDRESS = pytest.mark.parametrize("ledger", ["10.77.0.100"], indirect=True)
DOWN = ("-e", "master_is_down=true")
TABLE = "CREATE TABLE IF NOT EXISTS bulk (n bigint PRIMARY KEY); TRUNCATE bulk;"
BULK = "".join(f"INSERT INTO bulk VALUES ({n});\n" for n in range(20_000))


def kill_server(host: str) -> None:
    on(host, f"kill -9 $(head -1 {DATA}/postmaster.pid)")


def commit_beyond_the_standby(pair: Pair) -> None:
    """Cut the two off from each other, then commit 20,000 rows on the master."""
    sql(pair.master, TABLE)
    until(lambda: sql(pair.standby, "SELECT to_regclass('bulk') IS NOT NULL") == "t", 30, "the table on the standby")
    # a receiver begins anew at the begin of a segment, and only then says how far it is
    written = sql(pair.master, "SELECT pg_current_wal_lsn()")
    arrived = f"SELECT pg_last_wal_receive_lsn() >= '{written}'"
    until(lambda: sql(pair.standby, arrived) == "t", 30, "what was written so far on the standby")
    lab("cut", pair.master, pair.standby)
    sql(pair.master, BULK)


def refused(*arguments: str, says: list[str]) -> None:
    """failover.yml must refuse with these words and change nothing."""
    output = play("failover", *arguments, ok=False)
    assert [words for words in says if words not in flat(output)] == [], output
    assert changed(output) == 0


def assert_took_over(pair: Pair, ledger: Ledger) -> None:
    """The standby of before serves the clients, and has every row that was acknowledged and is not out of reach."""
    served = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > served + 20, 30, "commits on the new master")
    ledger.stop()
    assert ledger.lost_on(pair.standby) == []
    assert sql(pair.standby, "SELECT summary_state FROM gp_master_mirroring") == "Not Configured"
    assert not accepts_writes(pair.master)
    assert holders() == [pair.standby]


def holders() -> list[str]:
    """The hosts that have the master's address."""
    asked = "ip -o address show dev eth0 | grep -c 'inet 10.77.0.100/24'"
    return [host for host in ("mdw", "smdw") if on(host, f"timeout 5 {asked}", check=False, seconds=10) == "1"]


def journal(host: str) -> str:
    return on(host, f"journalctl --no-pager -o cat -u {SERVICE} -n 20")


@THROUGH_BOTH
def test_case_27_a_living_master_is_not_overtaken(pair: Pair, ledger: Ledger) -> None:
    alive = [f"{pair.master} is the master, is alive and accepts writes", "hawq.mirroring.switchover"]
    refused(says=alive)
    refused(*DOWN, says=alive)
    lab("cut", "controller", pair.master)
    try:
        reached = f"but its server answers {pair.standby} at {pair.master}:5432"
        refused(
            *DOWN, says=[f"{pair.master} is not reachable by SSH", reached, f"Mend the way from here to {pair.master}"]
        )
        lab("cut", pair.master, pair.standby)
        unproven = [
            f"it is not proven that {pair.master} is dead",
            "not open",
            "-e master_is_down=true",
            "fence_command=",
        ]
        refused(says=unproven)
        failing = "fence_command='echo secret-of-the-switch; exit 3'"
        said = play("failover", "-e", failing, ok=False)
        assert "The fence command did not succeed (exit code 3)" in flat(said)
        assert said.count("secret-of-the-switch") == 0, said
    finally:
        lab("join", pair.master, pair.standby)
        lab("join", "controller", pair.master)
    assert sql(pair.standby, "SELECT pg_is_in_recovery()") == "t"
    served = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > served + 20, 30, "commits on the master all along")
    play("state")


@THROUGH_ADDRESS
def test_cases_19_21_29_a_cut_link_a_hung_standby_and_a_pid_that_is_another_one_now(pair: Pair, ledger: Ledger) -> None:
    """Nothing of it stops the commits, and nothing of it passes for a dead master."""

    def commits_go_on() -> None:
        served = len(ledger.acknowledged)
        until(lambda: len(ledger.acknowledged) > served + 20, 10, "commits beside a standby that is of no use")

    sql(pair.master, "ALTER SYSTEM SET wal_sender_timeout = '3s'; SELECT pg_reload_conf()")
    lab("cut", pair.master, pair.standby)
    until(lambda: mirroring(pair.master)[0] == "Not Synchronized", 30, "the view to say so")
    commits_go_on()
    refused(*DOWN, says=[f"{pair.master} is the master, is alive and accepts writes"])
    lab("join", pair.master, pair.standby)
    until(lambda: mirroring(pair.master)[0] == "Synchronized", 60, "the standby to catch up")

    on(pair.standby, f"systemctl kill --signal=STOP {SERVICE}")
    commits_go_on()
    refused(*DOWN, says=[f"{pair.master} is the master, is alive and accepts writes"])
    other = on(pair.master, "systemd-run -q --collect --uid=gpadmin --unit=other sleep 600; pgrep -u gpadmin sleep")
    kill_server(pair.master)
    on(pair.master, f"sed -i '1s/.*/{other}/' {DATA}/postmaster.pid; touch /tmp/.s.PGSQL.5432.lock")
    refused(says=["no host is a standby that could be activated", f"On {pair.standby}, let it go on there (kill -CONT"])
    on(pair.standby, f"systemctl kill --signal=CONT {SERVICE}")
    play("failover")
    assert_took_over(pair, ledger)
    assert on(pair.master, "systemctl is-active other; systemctl stop other") == "active"


def test_case_23_a_standby_promoted_by_hand_is_a_second_master(pair: Pair) -> None:
    sql(pair.standby, "SELECT pg_promote()")
    refused(*DOWN, says=["mdw and smdw both accept writes", f"systemctl stop {SERVICE} on"])
    on(pair.standby, f"systemctl stop {SERVICE}")


def test_cases_25_36_37_crashed_server_loses_nothing_that_only_its_disk_has(pair: Pair, tmp_path: Path) -> None:
    """20,000 commits never reached the standby. The environment of the operator is full of libpq's variables."""
    commit_beyond_the_standby(pair)
    kill_server(pair.master)
    lab("join", pair.master, pair.standby)
    # the kernel of a dead server delivers what was on its way when the two were cut off
    assert int(sql(pair.standby, "SELECT count(*) FROM bulk")) < 1_000
    os.environ.update(PGHOST="nowhere.invalid", PGPORT="1", PGDATA="/nonexistent", PGUSER="nobody")
    try:
        said = play("failover", "-e", f"report_file={tmp_path}/report.json")
    finally:
        for name in ("PGHOST", "PGPORT", "PGDATA", "PGUSER"):
            del os.environ[name]
    assert sql(pair.standby, "SELECT count(*), sum(n) FROM bulk") == f"20000|{sum(range(20_000))}"
    assert f"{pair.standby} is the master now" in said
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["facts"]["Data lost"].startswith("none: all WAL")
    assert document["facts"]["Salvaged from it"] != "nothing was missing"
    assert document["activation"]["timeline"] == document["fenced"]["record"]["control"]["timeline"] + 1
    assert on(pair.standby, f"ls -d {DATA}.hawq-salvage 2>/dev/null", check=False) == ""

    again = play("failover")
    assert changed(again) == 0
    assert f"{pair.standby} is the master already, nothing to activate" in again

    # by hand or at boot, the old master comes back as a standby at most
    on(pair.master, f"systemctl reset-failed {SERVICE}; systemctl start {SERVICE}")
    # it lets nobody in before it has replayed what it crashed with
    asked = "cd / && runuser -u gpadmin -- psql -h /tmp -XAtd postgres -c 'SELECT pg_is_in_recovery()' 2>/dev/null"
    until(lambda: on(pair.master, asked, check=False) == "t", 30, "a server that takes no writes")
    assert changed(play("failover")) > 0
    on(pair.master, f"rm {DATA}/standby.signal")
    on(pair.master, f"systemctl start {SERVICE}", check=False)
    assert f"{pair.standby} is a master of the same system" in journal(pair.master)
    assert not accepts_writes(pair.master)
    refusal = flat(play("init_standby", ok=False))
    assert f"{DATA} on {pair.master} holds the data of a master whose server is stopped" in refusal


def test_salvage_through_the_controller(pair: Pair) -> None:
    """The two do not reach each other at any time."""
    commit_beyond_the_standby(pair)
    kill_server(pair.master)
    play("failover")
    lab("join", pair.master, pair.standby)
    assert sql(pair.standby, "SELECT count(*), sum(n) FROM bulk") == f"20000|{sum(range(20_000))}"


def test_cases_26_34_45_powered_off_host_comes_back(pair: Pair, ledger: Ledger) -> None:
    ledger.lose(pair.standby, lambda: lab("power-off", pair.master))
    refused(says=[f"it is not proven that {pair.master} is dead", "-e master_is_down=true"])
    asked = f"If it is certain, type {pair.master} and Enter"
    code, output = play_at_terminal("failover", question=asked, answer="yes")
    assert (code != 0, changed(output)) == (True, 0), output
    code, output = play_at_terminal("failover", question=asked, answer=pair.master)
    assert code == 0, output
    assert_took_over(pair, ledger)
    lab("power-on", pair.master)
    until(lambda: f"{pair.standby} is a master of the same system" in journal(pair.master), 60, "the interlock speaks")
    assert holders() == [pair.standby]
    assert on(pair.master, f"systemctl is-active {SERVICE}", check=False) == "failed"
    assert changed(play("failover")) > 0  # only now its data can be marked
    assert not accepts_writes(pair.master)


@THROUGH_ADDRESS
def test_case_28_frozen_server_is_killed_not_woken(pair: Pair, ledger: Ledger) -> None:
    on(pair.master, f"systemctl kill --signal=STOP {SERVICE}")
    play("failover")
    assert_took_over(pair, ledger)
    assert on(pair.master, "pgrep -u gpadmin postgres", check=False) == ""


@THROUGH_BOTH
def test_case_28_frozen_host_is_fenced_by_command(pair: Pair, ledger: Ledger) -> None:
    ledger.lose(pair.standby, lambda: lab("freeze", pair.master))
    refused(
        *DOWN, says=[f"{pair.standby} can open its port, where none answers", "it is frozen or overloaded, not dead"]
    )
    command = LAB.relative_to(ROOT)  # N11: it is run where the operator is
    play("failover", "-e", f"fence_command='./{command} power-off {pair.master}'")
    assert_took_over(pair, ledger)
    lab("power-on", pair.master)
    until(lambda: f"{pair.standby} is a master of the same system" in journal(pair.master), 60, "the interlock speaks")
    assert not accepts_writes(pair.master)


@THROUGH_ADDRESS
def test_cases_22_31_standby_paused_and_stopped(pair: Pair, ledger: Ledger) -> None:
    sql(pair.standby, "SELECT pg_wal_replay_pause()")
    written = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > written + 50, 30, "rows that are not replayed")
    on(pair.standby, f"systemctl stop {SERVICE}")
    until(lambda: len(ledger.acknowledged) > written + 100, 30, "rows that never arrived")
    kill_server(pair.master)
    play("failover")
    assert_took_over(pair, ledger)


@THROUGH_BOTH
def test_case_22_replay_paused(pair: Pair, ledger: Ledger) -> None:
    sql(pair.standby, "SELECT pg_wal_replay_pause()")
    written = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > written + 50, 30, "rows that are not replayed")
    kill_server(pair.master)
    play("failover")
    assert_took_over(pair, ledger)


def test_case_30_what_cannot_be_salvaged_is_lost_only_when_told(pair: Pair) -> None:
    commit_beyond_the_standby(pair)
    wal = sql(pair.master, "SELECT pg_walfile_name(pg_current_wal_lsn())")
    kill_server(pair.master)
    on(pair.master, f"mkdir /var/tmp/aside; mv {DATA}/pg_wal/{wal} /var/tmp/aside")
    said = flat(play("failover", ok=False))
    assert f"{wal} is missing" in said
    assert "-e accept_data_loss=true" in said
    assert not accepts_writes(pair.standby)
    assert f"rm {DATA}/standby.signal {DATA}/hawq_mirroring.fence && systemctl start {SERVICE}" in said
    on(pair.master, f"mv /var/tmp/aside/{wal} {DATA}/pg_wal/; rmdir /var/tmp/aside")
    play("failover")
    lab("join", pair.master, pair.standby)
    assert sql(pair.standby, "SELECT count(*) FROM bulk") == "20000"


def test_a_crash_just_after_a_switch_of_segments_loses_nothing(pair: Pair) -> None:
    """The next segment is not there yet, which is an end like any other."""
    commit_beyond_the_standby(pair)
    sql(pair.master, "SELECT pg_switch_wal()")
    kill_server(pair.master)
    lab("join", pair.master, pair.standby)
    # segments that were made ready in advance would hide it
    newest = on(pair.master, f"ls {DATA}/pg_wal | grep -E '^[0-9A-F]{{24}}$' | tail -1")
    used = on(pair.master, f"cd {DATA}/pg_wal && od -An -tu8 -j8 -N8 {newest}").strip()
    if int(used) == 0:
        on(pair.master, f"rm {DATA}/pg_wal/{newest}")
    play("failover")
    assert sql(pair.standby, "SELECT count(*), sum(n) FROM bulk") == f"20000|{sum(range(20_000))}"


def test_damage_is_no_end(pair: Pair) -> None:
    """The control file knows of a checkpoint beyond the damaged page: only told does the standby take over."""
    commit_beyond_the_standby(pair)
    begin = sql(pair.standby, "SELECT pg_last_wal_receive_lsn()")
    timeline = sql(pair.master, "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)")
    sql(pair.master, "CHECKPOINT; INSERT INTO bulk VALUES (99999)")
    kill_server(pair.master)
    lab("join", pair.master, pair.standby)
    position = int(begin.split("/")[1], 16) + 800_000
    wal = f"{DATA}/pg_wal/{timeline}"
    wal += f"{int(begin.split('/')[0], 16):08X}{position // (16 << 20):08X}"
    page = position % (16 << 20) // 8192
    on(pair.master, f"dd if=/dev/zero of={wal} bs=8192 count=1 seek={page} conv=notrunc status=none")
    said = flat(play("failover", ok=False))
    assert "not all of what the standby lacks can be salvaged" in said
    assert "its last checkpoint is at" in said
    assert not accepts_writes(pair.standby)
    said = flat(play("failover", "-e", "accept_data_loss=true"))
    assert "Data lost = accepted by the operator: its WAL can be read up to" in said
    assert 0 < int(sql(pair.standby, "SELECT count(*) FROM bulk")) < 20_000


def test_a_server_whose_program_was_upgraded_is_fenced_as_well(pair: Pair) -> None:
    """Its processes go by the name of a deleted file."""
    program = "/usr/lib/postgresql/15/bin/postgres"
    on(pair.master, f"cp -p {program} {program}.new && mv {program}.new {program}")
    on(pair.master, f"systemctl kill --signal=STOP {SERVICE}")
    play("failover")
    assert accepts_writes(pair.standby)
    assert on(pair.master, "pgrep -u gpadmin postgres", check=False) == ""


def test_interlock_in_every_disguise(pair: Pair) -> None:
    """Neither a recovery.signal, nor a peer that lets nobody in, nor a used permission makes a second master."""
    kill_server(pair.master)
    play("failover")
    on(pair.master, f"rm {DATA}/standby.signal {DATA}/hawq_mirroring.fence; touch {DATA}/recovery.signal")
    on(
        pair.master,
        f"chown gpadmin {DATA}/recovery.signal; echo \"restore_command = 'false'\" >> {DATA}/postgresql.conf",
    )
    start = f"systemctl reset-failed {SERVICE}; systemctl start {SERVICE}"
    on(pair.master, start, check=False)
    assert not accepts_writes(pair.master)
    # the new master refuses the login, which is no sign that it is none
    on(
        pair.master,
        f"rm {DATA}/recovery.signal; sed -i 's/:[^:]*$/:wrong/' ~gpadmin/.pgpass; touch {PERMISSION}",
    )
    on(pair.master, start, check=False)
    assert not accepts_writes(pair.master)
    assert f"{pair.standby} is a master of the same system" in journal(pair.master)
    on(pair.master, f"rm -f {PERMISSION}")


def test_case_32_a_promotion_that_hangs_is_given_up_and_taken_up_again(pair: Pair) -> None:
    startup = sql(pair.standby, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'startup'")
    kill_server(pair.master)
    on(pair.standby, f"kill -STOP {startup}")
    said = flat(play("failover", "-e", "master_activation_timeout=5", ok=False))
    assert "the promotion was asked for 5 s ago and is not done" in said
    on(pair.standby, f"kill -CONT {startup}")
    play("failover")
    assert accepts_writes(pair.standby)


TASKS = (
    "server : Stop the server and keep it from coming back as a master",
    "standby : Fetch the WAL from the old master",
    "standby : Let the standby replay it",
    "master : Activate it",
    "master : Let a later rewind see the new timeline",
)


def test_case_33_controller_killed_at_each_task(pair: Pair) -> None:
    commit_beyond_the_standby(pair)
    kill_server(pair.master)
    lab("join", pair.master, pair.standby)
    said = play("failover", "--check", "--diff")
    assert f"Nothing was changed. A run would make {pair.standby} the master" in said
    assert sql(pair.standby, "SELECT pg_is_in_recovery()") == "t"
    assert on(pair.master, f"ls {DATA}/standby.signal {DATA}/hawq_mirroring.fence 2>/dev/null", check=False) == ""
    reached = []
    for task in TASKS:
        run = Running("failover")
        if run.reaches(f"TASK [hawq.mirroring.{task}]"):
            reached.append(task)
        run.kill()
    # what began on a host before the kill may end after it, so that the next run finds it done
    assert set(TASKS) - set(reached) <= {TASKS[2], TASKS[4]}, reached
    play("failover")
    assert changed(play("failover")) == 0
    assert sql(pair.standby, "SELECT count(*), sum(n) FROM bulk") == f"20000|{sum(range(20_000))}"
    assert on(pair.standby, f"ls -d {DATA}.hawq-salvage 2>/dev/null", check=False) == ""
