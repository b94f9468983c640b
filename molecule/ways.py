# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the tests of a resynchronisation part a pair, and see which way it went and that all is well."""

from __future__ import annotations

import pytest
from harness import (
    DATA,
    SERVICE,
    Pair,
    accepts_writes,
    flat,
    lab,
    mirroring,
    on,
    play,
    sql,
    until,
)

THROUGH_BOTH = pytest.mark.parametrize("ledger", ["mdw,smdw"], indirect=True)
DOWN = ("-e", "master_is_down=true")
LOSS = ("-e", "accept_data_loss=true")
TABLE = "CREATE TABLE IF NOT EXISTS bulk (n bigint PRIMARY KEY); TRUNCATE bulk;"
UNFINISHED = f"{DATA}.hawq-unfinished"


def kill_server(host: str) -> None:
    on(host, f"kill -9 $(head -1 {DATA}/postmaster.pid)")


def slot_of(host: str) -> str:
    return f"hawq_mirroring_{host}"


def assert_went(output: str, way: str) -> None:
    """A resynchronisation went this way."""
    assert f"Way = {way} " in flat(output), output


def assert_synchronised(master: str, standby: str) -> None:
    """As clients see it, and nothing of before is left. The next test begins with a run that changes nothing more."""
    assert mirroring(master)[0] == "Synchronized"
    sql(master, "INSERT INTO ledger (n) SELECT coalesce(max(n), 0) + 1 FROM ledger")
    rows = sql(master, "SELECT count(*), max(n) FROM ledger")
    until(lambda: sql(standby, "SELECT count(*), max(n) FROM ledger") >= rows, 30, "the same rows on both")
    assert sql(standby, "SELECT count(*) FROM pg_replication_slots") == "0"
    assert sql(master, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'hawq%'") == "hawq_mirroring"
    assert "rewind" not in on(master, f"cat {DATA}/pg_hba.conf")
    assert on(standby, f"ls {DATA}/hawq_mirroring.fence {UNFINISHED} 2>/dev/null", check=False) == ""
    assert on(standby, f"ls -d {DATA}.hawq-rewind {DATA}.hawq-snapshot 2>/dev/null", check=False) == ""


def catch_up(pair: Pair) -> None:
    """Wait until the standby has replayed all that the master has written."""
    last = sql(pair.master, "SELECT pg_current_wal_lsn()")
    replayed = f"SELECT pg_last_wal_replay_lsn() >= '{last}'"
    until(lambda: sql(pair.standby, replayed) == "t", 30, "the standby has it all")


def diverge(pair: Pair, rows: int = 20_000, last: str = "") -> None:
    """Commit on the master what the standby never gets, then lose the master's host and activate the standby."""
    sql(pair.master, "CREATE TABLE IF NOT EXISTS bulk (n bigint PRIMARY KEY)")
    catch_up(pair)
    lab("cut", pair.master, pair.standby)
    sql(pair.master, "".join(f"INSERT INTO bulk VALUES ({n});\n" for n in range(rows)) + last)
    lab("power-off", pair.master)
    lab("join", pair.master, pair.standby)
    play("failover", *DOWN, *LOSS)
    lab("power-on", pair.master)
    until(lambda: on(pair.master, f"systemctl is-active {SERVICE}", check=False) == "failed", 60, "the interlock")
    assert not accepts_writes(pair.master)


def catch_rewind(host: str, signal: str, written: int) -> None:
    """Send pg_rewind there the signal as soon as it has written so many bytes; ``caught`` tells whether it was."""
    script = f"""until pid=$(pgrep -x pg_rewind) && [ $(sed -n 's/^wchar: //p' /proc/$pid/io) -ge {written} ] &&
    kill -{signal} $pid; do sleep 0.002; done; touch /run/caught"""
    on(host, f"rm -f /run/caught; cat > /run/catch <<'END'\n{script}\nEND")
    on(host, "systemd-run -q --collect --unit=catch sh /run/catch")


def caught(host: str) -> str:
    """Whether pg_rewind was caught there."""
    return on(host, "ls /run/caught 2>/dev/null", check=False)
