# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What state.yml and the views say while all is well, in faults and after them, and how the pair recovers."""

from __future__ import annotations

import json
import re
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from harness import (
    INVENTORY,
    SERVICE,
    SLOT,
    Writer,
    accepts_writes,
    flat,
    lab,
    mirroring,
    on,
    open_to_clients,
    play,
    sql,
    until,
    unwrapped,
)

RECOVERY_SECONDS = 90


def labels(output: str) -> dict[str, str]:
    """Return the report's lines."""
    return {name.strip(): value for name, value in re.findall(r"^  (\S.*?) += (.*)$", unwrapped(output), re.M)}


def synchronized() -> bool:
    """Whether there is a master, which a test may have only just started, and it says so."""
    return accepts_writes("mdw") and mirroring()[0] == "Synchronized"


@pytest.fixture
def whole() -> t.Iterator[None]:
    """Begin and end with a synchronised pair that no fault is left on."""
    until(synchronized, RECOVERY_SECONDS, "Synchronized before the test")
    yield
    until(synchronized, RECOVERY_SECONDS, "Synchronized by itself after the test")


def test_state_of_a_healthy_pair(whole: None, tmp_path: Path) -> None:
    output = play("state", "-e", f"state_file={tmp_path}/state.json")
    assert "HAWQ instance status summary" in output
    shown = labels(output)
    assert shown["Master instance"] == "Active"
    assert shown["Master host"] == "mdw"
    assert shown["Master standby"] == "smdw"
    assert shown["Standby master state"] == "Standby host passive"
    assert shown["Total segments count from catalog"] == "0"
    assert shown["Total segment valid (at master)"] == "0"
    assert shown["Total segment failures (at master)"] == "0"
    assert shown["Mirroring state"].startswith("Synchronized")
    assert shown["Timeline"] == "1"
    assert shown[f"Slot {SLOT}"].startswith("active, WAL reserved")
    assert shown["Rewind of smdw"] == "not needed: it is on the master's timeline"
    assert "Problem" not in output
    document = json.loads((tmp_path / "state.json").read_text())
    assert document["healthy"] is True
    assert (document["problems"], document["exit_code"]) == ([], 0)
    assert [row["outcome"] for row in document["readiness"]] == ["works"] * 4
    assert shown["If the server of mdw dies"] == "works: smdw takes over, nothing is lost"
    assert (document["master"], document["standby"]) == ("mdw", "smdw")
    assert document["mirroring"]["summary_state"] == "Synchronized"
    assert document["mirroring"]["lag_bytes"] < 16 << 20
    assert document["mirroring"]["lag_seconds"] is None or document["mirroring"]["lag_seconds"] < 60
    identifiers = {host["system_identifier"] for host in document["hosts"].values()}
    assert identifiers == {sql("mdw", "SELECT system_identifier FROM pg_control_system()")}
    assert {host["timeline"] for host in document["hosts"].values()} == {1}


def test_standby_stopped(whole: None, tmp_path: Path) -> None:
    on("smdw", f"systemctl stop {SERVICE}")
    try:
        until(lambda: mirroring()[0] == "Not Synchronized", 30, "Not Synchronized")
        state, detail, _since, message = mirroring()
        assert (state, detail) == ("Not Synchronized", "Connection error")
        assert "smdw" in message
        output = play("state", "-e", f"state_file={tmp_path}/state.json", ok=False)
        assert labels(output)["Mirroring state"].startswith("Not Synchronized (Connection error")
        assert labels(output)["Standby master state"] == "Unknown"
        said = "standby smdw is Not Synchronized (Connection error; smdw is a standby whose server is stopped"
        assert said in flat(output)
        document = json.loads((tmp_path / "state.json").read_text())
        assert (document["healthy"], document["exit_code"]) == (False, 12)
        assert [row["kind"] for row in document["problems"]] == ["not-synchronized"]
        assert document["hosts"]["smdw"]["kind"] == "stopped standby"
        output = play("state", "-e", "state_fail=false", "-e", "state_query=mirroring.detail_state")
        assert "Connection error" in output.splitlines()
        assert "HAWQ instance status summary" not in output
        output = play("state", "-e", "state_query=miroring.detail_state", ok=False)
        assert "the report has no miroring, but exit_code, healthy, hosts, " in flat(output)
    finally:
        on("smdw", f"systemctl start {SERVICE}")


def test_what_keeps_the_controller_from_looking(whole: None, tmp_path: Path) -> None:
    """Told as what it is, and never as a missing master (N5, N8); what an inventory says of connections holds (84)."""
    log = tmp_path / "ssh.log"
    inventory = tmp_path / "connections.yml"
    inventory.write_text(json.dumps({"masters": {"vars": {"ansible_ssh_extra_args": f"-v -E {log}"}}}))
    arguments = ("-i", str(INVENTORY), "-i", str(inventory), "-e", f"state_file={tmp_path}/state.json")
    library = on("mdw", "python3 -c 'import os, psycopg2; print(os.path.dirname(psycopg2.__file__))'")
    on("mdw", f"mv {library} {library}.away")
    try:
        output = flat(play("state", *arguments, "-e", "server_role=of-another-collection", ok=False))
    finally:
        on("mdw", f"mv {library}.away {library}")
    assert "the server on mdw cannot be asked what it is (Python's psycopg2 is missing on this host" in output
    assert "-m ansible.builtin.package -a name=python3-psycopg2" in output
    assert json.loads((tmp_path / "state.json").read_text())["exit_code"] == 14
    assert "no host accepts writes" not in output
    assert "OpenSSH" in log.read_text()

    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    alone = "-F /dev/null -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    variables = {"ansible_ssh_private_key_file": str(key), "ansible_ssh_common_args": f"{alone} -o ControlPath=none"}
    inventory.write_text(json.dumps({"masters": {"vars": variables}}))
    output = flat(play("state", *arguments, ok=False))
    assert "mdw is closed to the controller (the login by SSH is refused (root@mdw: Permission denied" in output
    assert json.loads((tmp_path / "state.json").read_text())["exit_code"] == 14


def test_link_between_the_two_cut(whole: None) -> None:
    sql("mdw", "ALTER SYSTEM SET wal_sender_timeout = '3s'; SELECT pg_reload_conf();")
    lab("cut", "mdw", "smdw")
    try:
        until(lambda: mirroring()[0] == "Not Synchronized", 3 + 15, "the view tells within wal_sender_timeout")
        assert mirroring()[1] == "Connection error"
        assert sql("smdw", "SELECT pg_is_in_recovery()") == "t"
    finally:
        lab("join", "mdw", "smdw")
        sql("mdw", "ALTER SYSTEM RESET wal_sender_timeout; SELECT pg_reload_conf();")


def test_standby_frozen_and_thawed(whole: None) -> None:
    sql("mdw", "ALTER SYSTEM SET wal_sender_timeout = '3s'; SELECT pg_reload_conf();")
    lab("freeze", "smdw")
    try:
        until(lambda: mirroring()[0] == "Not Synchronized", 3 + 15, "the view tells within wal_sender_timeout")
        assert mirroring()[1] == "Connection error"
    finally:
        lab("thaw", "smdw")
        sql("mdw", "ALTER SYSTEM RESET wal_sender_timeout; SELECT pg_reload_conf();")


def test_standby_host_powered_off_and_on(whole: None) -> None:
    open_to_clients()
    begin = time.monotonic()
    play("state")
    usual = time.monotonic() - begin
    lab("power-off", "smdw")
    try:
        begin = time.monotonic()
        output = play("state", ok=False)
        took = time.monotonic() - begin
        # the SSH connect time-out is 5 s; the rest is leave for a busy machine
        assert took < usual + 20, f"{took:.1f} s, usually {usual:.1f} s"
        shown = labels(output)
        assert shown["Master instance"] == "Active"
        assert shown["Host smdw"].startswith("not reachable by SSH")
        assert "Problem: standby smdw is" in output
        assert shown["Standby master state"] == "Unknown"
        with Writer(start=10_000_000) as writer:
            until(lambda: len(writer.acknowledged) > 20, 30, "commits without the standby")
    finally:
        lab("power-on", "smdw")
    until(synchronized, RECOVERY_SECONDS, "Synchronized by itself after the boot")
    # it receives WAL before it gives sessions
    ready = "pg_isready -h /tmp"
    until(lambda: "accepting" in on("smdw", ready, check=False), 30, "a standby that gives sessions")
    until(lambda: not writer.missing_on("smdw"), 30, "every commit on the standby")


def test_master_host_powered_off_and_on(whole: None) -> None:
    open_to_clients()
    with Writer(start=20_000_000) as writer:
        until(lambda: len(writer.acknowledged) > 50, 30, "commits before the power cut")
        lab("power-off", "mdw")
        try:
            assert labels(play("state", ok=False))["Master instance"] == "Unknown"
        finally:
            lab("power-on", "mdw")
        before = len(writer.acknowledged)
        until(lambda: len(writer.acknowledged) > before + 20, RECOVERY_SECONDS, "commits after the boot")
    until(synchronized, RECOVERY_SECONDS, "Synchronized by itself after the boot")
    assert not writer.missing_on("mdw")
    until(lambda: not writer.missing_on("smdw"), 30, "every commit on the standby")


def test_what_a_failover_would_stumble_over_is_told_with_its_command(whole: None, tmp_path: Path) -> None:
    """Replay that is paused, and an interlock that nobody calls any more: one command mends both.

    A file that has vanished, which the server has read long before and misses at its next start only, is told as well.
    """
    access = on("smdw", "realpath /data/hawq/master/pg_hba.conf")
    on("smdw", f"mv {access} {access}.away")
    unit = f"/etc/systemd/system/{SERVICE}.d/zz-hawq-mirroring.conf"
    on("smdw", f"mv {unit} /root/ && systemctl daemon-reload")
    sql("smdw", "SELECT pg_wal_replay_pause()")
    output = play("state", "-e", f"state_file={tmp_path}/state.json", ok=False)
    document = json.loads((tmp_path / "state.json").read_text())
    assert document["exit_code"] == 13, output
    kinds = ["replay-paused", "interlock-missing", "named-place"]
    assert [row["kind"] for row in document["problems"]] == kinds, output
    assert f"hba_file names {access}, which is not there on smdw" in document["problems"][2]["text"]
    assert f"scp -3 -p mdw:{access} smdw:{access}" in document["problems"][2]["command"]
    on("smdw", f"mv {access}.away {access}")
    for row in document["problems"][:2]:
        assert (row["host"], "hawq.mirroring.resync_standby" in row["command"]) == ("smdw", True)
    assert labels(output)["Switchover"].startswith("refused: replay on smdw is paused; ")
    play("resync_standby")
    play("state")


def test_no_master(whole: None) -> None:
    on("mdw", f"systemctl stop {SERVICE}")
    try:
        output = play("state", ok=False)
        assert labels(output)["Master instance"] == "Down"
        assert "no host accepts writes" in output
        assert labels(output)["Host mdw"].startswith("the data of a master whose server is stopped")
    finally:
        on("mdw", f"systemctl start {SERVICE}")


def test_slot_lost_then_a_new_copy_under_writes_with_one_fork() -> None:
    open_to_clients()
    on("smdw", f"systemctl stop {SERVICE}")
    sql("mdw", "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'; SELECT pg_reload_conf();")
    for _ in range(8):
        sql("mdw", "CREATE TABLE burst AS SELECT 1; DROP TABLE burst; SELECT pg_switch_wal();")
    sql("mdw", "CHECKPOINT")
    assert sql("mdw", "SELECT wal_status FROM pg_replication_slots") == "lost"
    assert mirroring()[:2] == ["Not Synchronized", "Standby master too far behind"]
    sql("mdw", "ALTER SYSTEM SET max_slot_wal_keep_size = '10GB'; SELECT pg_reload_conf();")
    on("smdw", f"systemctl start {SERVICE}")
    assert mirroring()[:2] == ["Not Synchronized", "Standby master too far behind"]

    refusal = flat(play("init_standby", ok=False))
    assert "too far behind" in refusal
    assert f"systemctl stop {SERVICE}" in refusal
    assert "existing_data=keep" in refusal
    on("smdw", f"systemctl stop {SERVICE}")

    with Writer(start=30_000_000) as writer:
        until(lambda: len(writer.acknowledged) > 50, 30, "commits before the snapshot")
        before = len(writer.acknowledged)
        play("init_standby", "-e", "existing_data=keep", "--forks", "1")
        during = len(writer.acknowledged)
        until(lambda: len(writer.acknowledged) > during + 50, 30, "commits after the snapshot")
    assert during > before + 50
    assert mirroring()[0] == "Synchronized"
    assert not writer.missing_on("mdw")
    until(lambda: not writer.missing_on("smdw"), 30, "every commit on the standby")
    count = "SELECT count(*), min(n), max(n), sum(n) FROM ledger"
    assert sql("smdw", count) == sql("mdw", count)
    kept = on("smdw", "ls -d /data/hawq/master.kept-*/standby.signal")
    on("smdw", f"rm -r {kept.removesuffix('/standby.signal')}")
