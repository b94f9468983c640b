# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever breaks while a standby is made: nothing is lost, nothing is left, the same command run again makes it."""

from __future__ import annotations

import contextlib
import re
import typing as t

import harness
from harness import DATA, SERVICE, SLOT, Running, lab, on, play, sql, until

JOB = "hawq-mirroring-snapshot-hawq-master.service"
STAGING = f"{DATA}.hawq-snapshot"
VERIFY = "/usr/lib/postgresql/15/bin/pg_verifybackup"
#: so slow that no fault comes too late
SLOW = "1M"
FAST = "8M"
#: waits, bounded, for the first files of databases
FILES = f"find {STAGING}/unverified-copy/base -type f -size +4k"
COPYING = f"timeout 120 sh -c 'until [ $({FILES} 2>/dev/null | wc -l) -ge 3 ]; do sleep 0.1; done'"


def init(rate: str = "") -> Running:
    """Start init_standby.yml."""
    return Running("init_standby", *(["-e", f"standby_snapshot_rate_limit={rate}"] if rate else []))


def shown(name: str) -> str:
    """Return a property of the snapshot job's unit."""
    return on("smdw", f"systemctl show -p {name} --value {JOB}")


def in_mid_copy(rate: str = SLOW) -> Running:
    """Return a run whose copy has begun and goes on."""
    run = init(rate)
    on("smdw", COPYING)
    assert shown("SubState") == "start-pre", run.output
    return run


@contextlib.contextmanager
def held_in_mid_copy(who: str = "all") -> t.Iterator[Running]:
    """Give a run whose copy has begun and is kept there; with "control" its other process still receives WAL."""
    run = init(FAST)
    on("smdw", f"{COPYING} && systemctl kill --kill-who={who} --signal=STOP {JOB}")
    assert shown("SubState") == "start-pre", run.output
    yield run
    on("smdw", f"systemctl kill --kill-who={who} --signal=CONT {JOB}")


def copies() -> int:
    """Return how many copies the master has ever been asked for."""
    return int(on("mdw", f"journalctl -u {SERVICE} -o cat | grep -c 'command: BASE_BACKUP'", check=False))


def wait_for_sessions(host: str) -> None:
    """Wait until the host's server serves."""
    ready = "runuser -u gpadmin -- psql -h /tmp -d postgres -c 'SELECT 1' 2>/dev/null"
    until(lambda: on(host, ready, check=False) != "", 60, f"sessions on {host}")


def senders() -> str:
    """Return the master's connections that serve a snapshot."""
    return sql("mdw", "SELECT pid FROM pg_stat_activity WHERE application_name = 'hawq_mirroring_snapshot'")


def assert_synchronized(writer: harness.Writer) -> None:
    """Every acknowledged row is on the standby, and what made it has gone."""
    assert harness.mirroring()[0] == "Synchronized"
    assert len(writer.stop()) > 10
    until(lambda: not writer.missing_on("smdw"), 60, "every acknowledged row on the standby")
    assert sql("smdw", "SELECT count(*) FROM ballast") == "100000"
    assert sql("smdw", "SELECT pg_is_in_recovery()") == "t"
    assert harness.leftovers() == ""
    assert on("smdw", "ls /run/hawq-mirroring-snapshot-hawq-master.log 2>/dev/null", check=False) == ""
    assert sql("mdw", "SELECT slot_name, active, wal_status FROM pg_replication_slots") == f"{SLOT}|t|reserved"
    assert senders() == ""
    assert on("smdw", f"systemctl is-enabled {SERVICE}") == "enabled"


def assert_run_again_makes_it(writer: harness.Writer) -> None:
    """The same command ends Synchronized."""
    play("init_standby")
    assert_synchronized(writer)


def assert_taken_back(writer: harness.Writer) -> None:
    """Neither host shows that there was a try, and the master serves its clients."""
    assert_standby_is_clean()
    assert_master_is_clean(writer)


def assert_standby_is_clean() -> None:
    """No half copy, no job, nothing that could be started."""
    assert harness.leftovers() == ""
    assert on("smdw", f"ls -A {DATA} 2>/dev/null", check=False) == ""


def assert_master_is_clean(writer: harness.Writer) -> None:
    """No slot, no sender, no role, no lines; clients are served."""
    assert senders() == ""
    assert sql("mdw", "SELECT slot_name FROM pg_replication_slots") == ""
    assert sql("mdw", "SELECT to_regrole('hawq_mirroring')") == ""
    assert on("mdw", f"grep -c hawq.mirroring {DATA}/pg_hba.conf", check=False) == "0"
    served = len(writer.acknowledged)
    until(lambda: len(writer.acknowledged) > served, 30, "a commit on the master")


def message(output: str) -> str:
    """Return what a run that failed or was refused says of that, in one line."""
    end = r"(?=^TASK \[|^\[ERROR\]|^fatal:)"
    found = re.findall(rf"^\w+ (?:failed|refused, nothing was changed)\.$(.*?){end}", output, re.S | re.M)
    assert found, output
    return " ".join(found[-1].split())


def failed(run: Running, seconds: float = 150) -> str:
    """Wait, bounded, for the end of a run that must fail; return what it says of that."""
    code, output = run.end(seconds)
    assert code != 0, output
    return message(output)


def test_case_03_controller_killed_while_preparing_and_copying(writer: harness.Writer) -> None:
    before = copies()
    for task in ("TASK [hawq.mirroring.data_directory", "TASK [hawq.mirroring.master : Make the master a source]"):
        run = init(FAST)
        run.wait_for_output(task)
        run.kill()
    with held_in_mid_copy() as first:
        first.kill()
        job = shown("InvocationID")
        run = init()
        run.wait_for_output("snapshot: streaming database files")
        assert shown("InvocationID") == job
    code, output = run.end()
    assert code == 0, output
    assert copies() == before + 1
    assert_synchronized(writer)


def test_case_03_controller_killed_while_verifying_and_starting(writer: harness.Writer) -> None:
    before = copies()
    on("smdw", f"mv {VERIFY} {VERIFY}.real; touch /var/tmp/hold")
    script = f'while [ -e /var/tmp/hold ]; do sleep 0.1; done\\nexec {VERIFY}.real "$@"'
    on("smdw", f"printf '#!/bin/sh\\n{script}\\n' > {VERIFY}; chmod 755 {VERIFY}")
    run = init()
    until(lambda: shown("SubState") == "start", 120, "the verification")
    run.wait_for_output("snapshot: verifying")
    run.kill()
    job = shown("InvocationID")
    # the next one finds the verification at work, and is killed between the move and the start
    dropin = f"/run/systemd/system/{SERVICE}.d"
    on(
        "smdw",
        f"mkdir -p {dropin}; printf '[Service]\\nTimeoutStartSec=300\\nExecStartPre=/bin/sh -c"
        ' "while [ -e /var/tmp/hold-start ]; do sleep 0.1; done"\\n\''
        f" > {dropin}/hold.conf; touch /var/tmp/hold-start; systemctl daemon-reload",
    )
    run = init()
    run.wait_for_output("snapshot: verifying")
    assert (shown("InvocationID"), shown("SubState")) == (job, "start")
    on("smdw", "rm /var/tmp/hold")
    starts = f"systemctl is-active {SERVICE}"
    until(lambda: on("smdw", starts, check=False) == "activating" or run.process.poll() is not None, 120, "the start")
    assert run.process.poll() is None, run.output
    run.kill()
    assert on("smdw", f"ls {DATA}/standby.signal {DATA}/backup_label").count("\n") == 1
    on("smdw", f"systemctl stop {SERVICE}; rm -r {dropin} /var/tmp/hold-start; systemctl daemon-reload")
    on("smdw", f"mv {VERIFY}.real {VERIFY}")
    # and the third between the start and the confirmation
    run = init()
    run.wait_for_output("TASK [hawq.mirroring.server : Wait until it gives sessions")
    run.kill()
    assert on("smdw", f"systemctl is-active {SERVICE}") == "active"
    assert_run_again_makes_it(writer)
    assert copies() == before + 1


def test_case_04_network_cut_in_mid_copy(writer: harness.Writer) -> None:
    run = in_mid_copy()
    lab("cut", "mdw", "smdw")
    try:
        said = failed(run)
        assert "the copy failed" in said
        assert "taken back" in said
        assert_taken_back(writer)
    finally:
        lab("join", "mdw", "smdw")
    assert_run_again_makes_it(writer)


def test_case_05_master_crashes_in_mid_copy(writer: harness.Writer) -> None:
    run = in_mid_copy()
    on("mdw", f"kill -9 $(head -1 {DATA}/postmaster.pid)")
    said = failed(run)
    assert "the copy failed" in said
    assert "still there on mdw" in said
    assert_standby_is_clean()
    play("init_standby", ok=False)
    on("mdw", f"systemctl reset-failed {SERVICE}; systemctl start {SERVICE}")
    assert_run_again_makes_it(writer)


def test_case_06_master_restarts_in_mid_copy(writer: harness.Writer) -> None:
    run = in_mid_copy()
    on("mdw", f"systemctl restart {SERVICE}")
    said = failed(run)
    assert "the copy failed" in said
    assert "taken back" in said
    assert_taken_back(writer)


def test_case_06_master_changes_timeline_in_mid_copy(writer: harness.Writer) -> None:
    before = int(sql("mdw", "SELECT timeline_id FROM pg_control_checkpoint()"))
    run = in_mid_copy()
    on("mdw", f"systemctl stop {SERVICE}; runuser -u gpadmin -- touch {DATA}/standby.signal; systemctl start {SERVICE}")
    wait_for_sessions("mdw")
    sql("mdw", "SELECT pg_promote(); CHECKPOINT")
    said = failed(run)
    assert "the copy failed" in said
    assert_standby_is_clean()
    assert_run_again_makes_it(writer)
    assert int(sql("mdw", "SELECT timeline_id FROM pg_control_checkpoint()")) == before + 1


def test_case_07_disk_too_small_or_filled_in_mid_copy(writer: harness.Writer) -> None:
    lab("disk", "smdw", "/data/hawq", "100")
    said = message(play("init_standby", ok=False))
    assert re.search(r"smdw has \d+ MB free for a copy of \d+ MB", said), said
    assert_taken_back(writer)
    on("smdw", "umount /data/hawq")
    lab("disk", "smdw", "/data/hawq", "500")
    run = in_mid_copy()
    on("smdw", "cat /dev/zero > /data/hawq/filler", check=False)
    said = failed(run)
    assert "the copy failed" in said
    assert "No space left on device" in said
    assert_taken_back(writer)
    on("smdw", "rm /data/hawq/filler")
    assert_run_again_makes_it(writer)
    on("smdw", f"systemctl stop {SERVICE}; umount /data/hawq")


def test_case_08_burst_of_wal_that_is_streamed_meanwhile(writer: harness.Writer) -> None:
    sql("mdw", "ALTER SYSTEM SET max_slot_wal_keep_size = '64MB'; ALTER SYSTEM SET max_wal_size = '64MB'")
    sql("mdw", "SELECT pg_reload_conf()")
    burst = "CREATE TABLE burst AS SELECT repeat('x', 1000) FROM generate_series(1, {}); DROP TABLE burst; CHECKPOINT"
    begin = sql("mdw", "SELECT pg_current_wal_lsn()")
    follows = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) < 20000000 FROM pg_replication_slots"
    with held_in_mid_copy("control") as run:
        for _ in range(3):
            sql("mdw", burst.format(40000))
            until(lambda: sql("mdw", follows) == "t", 60, "the slot follows")
    assert int(sql("mdw", f"SELECT ((pg_current_wal_lsn() - '{begin}') / 1048576)::int")) > 100
    code, output = run.end()
    assert code == 0, output
    assert_synchronized(writer)


def test_case_08_burst_of_wal_beyond_what_is_retained(writer: harness.Writer) -> None:
    sql("mdw", "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'; SELECT pg_reload_conf()")
    with held_in_mid_copy() as run:
        for _ in range(8):
            sql("mdw", "CREATE TABLE burst AS SELECT 1; DROP TABLE burst; SELECT pg_switch_wal();")
        sql("mdw", "CHECKPOINT")
        lost = "SELECT wal_status FROM pg_replication_slots"
        until(lambda: sql("mdw", lost) == "lost", 60, "the slot is lost")
    said = failed(run)
    assert "The master had to drop WAL that the copy still needed" in said
    assert "ALTER SYSTEM SET max_slot_wal_keep_size" in said
    assert_taken_back(writer)
    sql("mdw", "ALTER SYSTEM RESET max_slot_wal_keep_size; SELECT pg_reload_conf()")
    assert_run_again_makes_it(writer)


def test_case_11_two_at_once(writer: harness.Writer) -> None:
    before = copies()
    runs = [init(FAST), init(FAST)]
    for run in runs:
        code, output = run.end()
        assert code == 0, output
    assert copies() == before + 1
    assert_synchronized(writer)


def test_case_17_corrupted_byte(writer: harness.Writer) -> None:
    with held_in_mid_copy() as run:
        # the newest file may not be complete yet
        path = on("smdw", f"{FILES} -name '[0-9]*' | xargs ls -tr | head -1")
        on("smdw", f"printf '\\377' | dd of={path} bs=1 seek=5000 conv=notrunc status=none")
    said = failed(run)
    assert "the verification failed" in said
    assert path.removeprefix(f"{STAGING}/unverified-copy/") in said
    assert_taken_back(writer)


def test_standby_host_powered_off_in_mid_copy(writer: harness.Writer) -> None:
    run = in_mid_copy()
    lab("power-off", "smdw")
    try:
        said = failed(run)
        assert "smdw does not answer by SSH any more" in said
        assert "still there on smdw" in said
        assert_master_is_clean(writer)
    finally:
        lab("power-on", "smdw")
    assert on("smdw", f"ls {STAGING}") != ""
    assert_run_again_makes_it(writer)


def test_standby_host_frozen_in_mid_copy(writer: harness.Writer) -> None:
    run = in_mid_copy()
    lab("freeze", "smdw")
    try:
        said = failed(run)
        assert "smdw does not answer by SSH any more" in said
        assert_master_is_clean(writer)
    finally:
        lab("thaw", "smdw")
    assert_run_again_makes_it(writer)


def test_standby_host_lost_to_the_controller_only(writer: harness.Writer) -> None:
    """The job lives on, as the master sees, and the next run attaches to it."""
    before = copies()
    with held_in_mid_copy("control") as run:
        job = shown("InvocationID")
        lab("cut", "controller", "smdw")
        try:
            said = failed(run)
            assert "goes on by itself" in said
        finally:
            lab("join", "controller", "smdw")
        assert shown("InvocationID") == job
    assert_run_again_makes_it(writer)
    assert copies() == before + 1


def test_master_host_powered_off_in_mid_copy(writer: harness.Writer) -> None:
    run = in_mid_copy()
    lab("power-off", "mdw")
    try:
        said = failed(run)
        assert "mdw does not answer by SSH any more" in said
        assert_standby_is_clean()
    finally:
        lab("power-on", "mdw")
    wait_for_sessions("mdw")
    assert_run_again_makes_it(writer)
