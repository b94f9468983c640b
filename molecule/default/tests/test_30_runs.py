# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the playbooks may be run: parts, another order, check mode, and what their output gives away."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
from pathlib import Path

import yaml
from harness import (
    DATA,
    LAB,
    ROOT,
    SERVICE,
    Running,
    changed,
    differences,
    fingerprint,
    flat,
    lab,
    mirroring,
    on,
    play,
    reset_standby,
    sql,
    until,
)

HOSTS = ("mdw", "smdw")


def test_case_52_parts_are_refused() -> None:
    for option, value in (("--limit", "smdw"), ("--tags", "standby"), ("--skip-tags", "standby")):
        output = flat(play("init_standby", option, value, ok=False))
        assert f"run the playbook without {option}" in output
        assert changed(output) == 0
    assert mirroring()[0] == "Synchronized"


def test_case_53_the_other_order_changes_nothing(tmp_path: Path) -> None:
    inventory = yaml.safe_load((ROOT / "inventories" / "lab" / "hosts.yml").read_text())
    masters = inventory["all"]["children"]["masters"]["hosts"]
    assert list(masters) == ["mdw", "smdw"]
    inventory["all"]["children"]["masters"]["hosts"] = {name: masters[name] for name in reversed(masters)}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory, sort_keys=False))
    output = play("init_standby", "-i", str(tmp_path))
    assert changed(output) == 0
    assert "Standby on smdw, mirrored from mdw" in output
    assert sql("mdw", "SELECT pg_is_in_recovery()") == "f"


def test_drift_is_mended() -> None:
    """While the standby goes on to stream, which tells nothing about its next connection."""
    marked = "sed -i '/# BEGIN hawq.mirroring/,/# END hawq.mirroring/d'"
    on("smdw", "rm /etc/security/limits.d/hawq-gpadmin.conf")
    on("smdw", f"{marked} ~gpadmin/.bash_profile {DATA}/pg_hba.conf")
    on("smdw", f"systemctl disable {SERVICE}; chmod 640 /etc/systemd/system/{SERVICE}")
    on("mdw", f"{marked} {DATA}/pg_hba.conf")
    sql("mdw", "ALTER ROLE hawq_mirroring PASSWORD 'another'; SELECT pg_reload_conf();")
    on("smdw", "chmod 640 ~gpadmin/.pgpass; sed -i 's/:mdw:/:mwd:/' ~gpadmin/.pgpass")
    assert mirroring()[0] == "Synchronized"

    assert changed(play("init_standby", "--diff")) > 5

    assert changed(play("init_standby")) == 0
    on("smdw", f"systemctl restart {SERVICE}")
    until(lambda: sql("mdw", "SELECT state FROM pg_stat_replication") == "streaming", 30, "the new login")
    assert on("smdw", "stat -c %a ~gpadmin/.pgpass") == "600"
    assert on("smdw", f"systemctl is-enabled {SERVICE}") == "enabled"
    assert on("smdw", "runuser -l gpadmin -c 'echo $PGDATA; ulimit -n; ulimit -u'").split() == [DATA, "8192", "16384"]
    for host in HOSTS:
        assert sql(host, "SELECT count(*) FROM pg_hba_file_rules WHERE 'hawq_mirroring' = ANY (user_name)") != "0"


def test_case_49_check_changes_nothing() -> None:
    reset_standby()
    lab("down", "smdw")
    lab("up", "smdw")
    # What a server does by itself is done beforehand: hint bits and caches.
    sql("mdw", "ALTER SYSTEM SET autovacuum = off; SELECT pg_reload_conf();")
    for database in ("postgres", "template1"):
        sql("mdw", "ANALYZE; VACUUM FREEZE;", database=database)
    sql("mdw", "CHECKPOINT")
    for database in ("postgres", "template1"):
        sql("mdw", "SELECT count(*) FROM pg_class", database=database)
    position = sql("mdw", "SELECT pg_current_wal_insert_lsn()")
    wal = "-path '*/pg_wal/*'"
    before = {host: fingerprint(host, without=wal) for host in HOSTS}
    assert "no such user" in on("smdw", "id gpadmin 2>&1", check=False)

    output = play("init_standby", "--check", "--diff")

    for host in HOSTS:
        assert differences(before[host], fingerprint(host, without=wal)) == []
    written = on("mdw", f"/usr/lib/postgresql/15/bin/pg_waldump -p {DATA}/pg_wal -s {position} 2>&1 | cat")
    records = [line for line in written.splitlines() if line.startswith("rmgr:")]
    # The background writer's records, and what any reader may write: nothing that a run could have changed.
    assert all("RUNNING_XACTS" in line or "FPI_FOR_HINT" in line for line in records), written
    assert changed(output) > 10
    for shown in (
        "Nothing was changed. A run would make: Standby on smdw, mirrored from mdw",
        "+host replication hawq_mirroring",
        "ExecStart=/usr/lib/postgresql/15/bin/postgres",
        "max_slot_wal_keep_size: 10240MB",
        "+slot",
        "master.hawq-snapshot created",
        "primary_slot_name = hawq_mirroring_smdw",
        "hawq_mirroring--1.1.sql",
    ):
        assert shown in output, shown
    sql("mdw", "ALTER SYSTEM RESET autovacuum; SELECT pg_reload_conf();")


class Processes:
    """The command lines of every process on this machine, so of every host of the lab, collected until the end."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Processes:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.03):
            for pid in filter(str.isdigit, os.listdir("/proc")):
                with contextlib.suppress(OSError):
                    self.seen.add(Path("/proc", pid, "cmdline").read_bytes())


def test_case_50_no_secret_anywhere() -> None:
    sql("mdw", "ALTER SYSTEM SET log_statement = 'all'; SELECT pg_reload_conf();")
    with Processes() as processes:
        run = Running("init_standby", "-vvv", "--diff")
        code, output = run.end()
    assert code == 0, output
    sql("mdw", "ALTER SYSTEM RESET log_statement; SELECT pg_reload_conf();")
    assert mirroring()[0] == "Synchronized"
    password = on("mdw", "grep :hawq_mirroring: ~gpadmin/.pgpass | head -n 1 | cut -d: -f5")
    assert len(password) >= 32

    assert "modules/payload.py" in output  # by which every module is sent
    assert "(not shown, new)" in output
    assert password not in output
    assert "modules/setup.py" not in output
    assert "Gathering Facts" not in output

    lines = b"\n".join(processes.seen)
    assert b"pg_basebackup" in lines
    assert b"walsender hawq_mirroring" in lines
    assert password.encode() not in lines

    journals = {host: on(host, "journalctl --no-pager --output=cat") for host in HOSTS}
    # the statements that carry what a password is checked against are kept out of the log, which has all others
    assert 'parameter "log_statement" changed to "all"' in journals["mdw"]
    assert not re.search(r'(CREATE|ALTER) ROLE "hawq_mirroring"', journals["mdw"])
    for host in HOSTS:
        assert SERVICE in journals[host] or "Started" in journals[host]
        assert password not in journals[host]
        search = "grep --recursive --files-with-matches --fixed-strings --file=- --devices=skip"
        places = "/data /etc /home /root /run /tmp /usr/local /var"
        found = subprocess.run(
            [str(LAB), "ssh", host, f"{search} {places} 2>/dev/null"],
            input=password,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert found.stdout.split() == ["/home/gpadmin/.pgpass"]
