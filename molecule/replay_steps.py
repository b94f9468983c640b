# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The simulator's steps as acts on the lab's hosts, under the names that schedules have for them."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import typing as t
from pathlib import Path

from harness import DATA, SERVICE, lab, on, sql, until

Act = t.Callable[[str], object]
#: a copy of the data directory's files, as somebody might make it
COPY = "/data/hawq/replayed-copy"
AS_USER = "cd / && runuser -u gpadmin --"
PID = f"$(head -1 {DATA}/postmaster.pid)"
PSQL = f"{AS_USER} psql -h /tmp -XAtqd postgres"
BIN = "$(dirname $(readlink /proc/$(head -1 /data/hawq/master/postmaster.pid)/exe))"


def commit(host: str, number: int) -> None:
    """Commit one row, by its number in the model.

    It is big, so that who is ahead is decided by rows, as in the model, and not by what a server writes when it starts.
    """
    more = "SELECT pg_logical_emit_message(true, 'replayed', repeat('x', 300000))"
    sql(host, f"BEGIN; INSERT INTO replayed VALUES ({number}); {more}; COMMIT")


def crash(host: str) -> None:
    """Kill the server; its processes have ended when this returns."""
    on(host, f"kill -9 {PID}", check=False)
    until(lambda: on(host, "pgrep -c -x postgres", check=False) == "0", 30, "the server's processes end")


def remove_signal(host: str) -> None:
    """Its start may wait for the other host, so nobody waits for it."""
    on(host, f"rm {DATA}/standby.signal; systemctl restart --no-block {SERVICE}")


def start(host: str) -> None:
    on(host, f"systemctl start --no-block {SERVICE}")


def raise_setting(host: str) -> None:
    value = int(sql(host, "SHOW max_connections")) + 100
    sql(host, f"ALTER SYSTEM SET max_connections = {value}")
    on(host, f"systemctl restart --no-block {SERVICE}")


def lose_disk(host: str) -> None:
    """While it is off nobody sees how its files go."""
    lab("power-off", host)
    root = Path(os.environ["LAB_STATE"]) / "hosts" / host / "root" / "data" / "hawq"
    assert root.is_dir()
    for each in root.iterdir():
        shutil.rmtree(each)


def drop_slots(host: str) -> None:
    """Drop those of the standbys; who uses one is ended, and would come back if it were faster."""
    drop = (
        "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active_pid IS NOT NULL;"
        " SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active;"
    )

    def dropped() -> bool:
        with contextlib.suppress(AssertionError):
            sql(host, drop)
        return sql(host, "SELECT count(*) FROM pg_replication_slots") == "0"

    until(dropped, 60, "the slots are dropped")


def copy_files(host: str) -> None:
    """The server stands still meanwhile, so that the copy is what a crash would leave."""
    stop, go_on = (f"systemctl kill --signal={signal} {SERVICE}" for signal in ("STOP", "CONT"))
    on(host, f"rm -rf {COPY}; {stop}; cp -a {DATA} {COPY}; {go_on}; rm {COPY}/postmaster.pid")


def set_back(host: str) -> None:
    on(host, f"kill -9 {PID} 2>/dev/null", check=False)
    until(lambda: on(host, "pgrep -c -x postgres", check=False) == "0", 30, "the server's processes end")
    on(host, f"rm -rf {DATA}; cp -a {COPY} {DATA}; systemctl start --no-block {SERVICE}")


def block(host: str) -> None:
    """A query on the standby has read a table that the master then empties; it may go on for ever."""
    sql(host, "ALTER SYSTEM SET max_standby_streaming_delay = -1; SELECT pg_reload_conf()")
    query = "BEGIN; SELECT count(*) FROM held; SELECT pg_sleep(3600)"
    on(host, f"systemd-run -q --collect --unit=replayed-query sh -c '{PSQL} -c \"{query}\"'")
    until(lambda: sql(host, "SELECT count(*) FROM pg_locks WHERE relation = 'held'::regclass") != "0", 30, "its lock")


def crowd(host: str) -> None:
    """Clients take all sessions, those for superusers too."""
    hold = f"for each in $(seq {sql(host, 'SHOW max_connections')}); do {PSQL} -c 'SELECT pg_sleep(3600)' & done; wait"
    on(host, f'systemd-run -q --collect --unit=replayed-crowd sh -c "{hold}"')
    until(lambda: "too many clients" in on(host, f"{PSQL} -c 'SELECT 1' 2>&1", check=False), 60, "no session is left")


def end_clients(host: str) -> None:
    """End what a former schedule has left, and take back what it has set."""
    on(host, "systemctl stop replayed-query replayed-crowd 2>/dev/null", check=False)
    sql(host, "ALTER SYSTEM RESET max_standby_streaming_delay; SELECT pg_reload_conf()")


def leave_fence(host: str) -> None:
    on(host, f"echo '{{}}' | runuser -u gpadmin -- tee {DATA}/hawq_mirroring.fence")


#: acts on one host; of steps that are not here nothing is done on hosts
ON_HOST: dict[str, Act] = {
    "crash": crash,
    "stop": lambda host: on(host, f"systemctl stop {SERVICE}"),
    "start": start,
    "power off": lambda host: lab("power-off", host),
    "power on": lambda host: lab("power-on", host),
    "freeze": lambda host: on(host, f"systemctl kill --signal=STOP {SERVICE}"),
    "thaw": lambda host: on(host, f"systemctl kill --signal=CONT {SERVICE}"),
    "lose disk": lose_disk,
    "promote by hand": lambda host: on(host, f"{AS_USER} {BIN}/pg_ctl promote -s -D {DATA}", check=False),
    "remove signal": remove_signal,
    "pause replay": lambda host: sql(host, "SELECT pg_wal_replay_pause()"),
    "block replay": block,
    "crowd": crowd,
    "raise setting": raise_setting,
    "drop slots": drop_slots,
    "checkpoint": lambda host: sql(host, "CHECKPOINT"),
    "copy files": copy_files,
    "set back": set_back,
    "leave fence": leave_fence,
    "disable unit": lambda host: on(host, f"systemctl disable {SERVICE}"),
    "minute": lambda _host: time.sleep(60),
}
#: what lies between two
CABLES = {"cut": "cut", "mend": "join"}
#: what happens to the model only, or is done in another place
ELSEWHERE = ("no segment", "work", "run", "go", "kill", "home", "take over")
#: what cannot be done, or would cost too much, and why
CANNOT = {
    "two standbys": "the scenario has two hosts",
    "write much": "10 GB would have to be written",
    "hold": "a connection that lives and brings nothing cannot be made between two real servers",
    "flow": "as above",
    "unmount": "a host's data lies on its only file system",
    "advised": "the operator of the lab types other commands in between than that of the model, so the kill differs",
}


def translatable(steps: list[dict[str, t.Any]]) -> bool:
    """Whether all of a schedule can be done on the lab."""
    known = {*ON_HOST, *CABLES, *ELSEWHERE, "mount"}  # nothing was unmounted, so to mount is nothing
    return all(step["do"] in known for step in steps)
