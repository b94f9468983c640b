# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A master with data and a client that writes all the time, and a host without a standby before each test."""

from __future__ import annotations

import typing as t

import harness
import pytest

#: reports whenever the data directory could be started as a master of its own
WATCH = (
    f"while sleep 0.02; do [ ! -e {harness.DATA}/PG_VERSION ] || [ -e {harness.DATA}/standby.signal ]"
    " || touch /var/tmp/second-master; done"
)


@pytest.fixture(scope="session")
def master() -> str:
    """Return the host of a master with some data."""
    harness.play("init_master", "-e", "master_host=mdw")
    harness.open_to_clients()
    harness.sql(
        "mdw",
        "CREATE TABLE IF NOT EXISTS ballast AS SELECT repeat(md5(n::text), 8) FROM generate_series(1, 100000) n",
    )
    return "mdw"


@pytest.fixture
def writer(master: str) -> t.Iterator[harness.Writer]:
    """Give a client that writes to the master, over a standby's host that has nothing yet."""
    assert harness.sql(master, "SELECT NOT pg_is_in_recovery()") == "t"
    verify = "/usr/lib/postgresql/15/bin/pg_verifybackup"
    harness.on(
        "smdw",
        f"systemctl stop watch; rm -rf /var/tmp/hold* /run/systemd/system/{harness.SERVICE}.d;"
        f" mv {verify}.real {verify}; systemctl daemon-reload",
        check=False,
    )
    harness.reset_standby()
    harness.on("smdw", "umount /data/hawq 2>/dev/null", check=False)
    harness.sql(master, "ALTER SYSTEM SET log_replication_commands = on")
    harness.sql(master, "SELECT pg_reload_conf()")
    harness.on(
        "smdw",
        f"rm -f /var/tmp/second-master; systemd-run --quiet --collect --unit=watch sh -c '{WATCH}'",
    )
    last = harness.sql(master, "SELECT coalesce(max(n), 0) + 1 FROM ledger")
    with harness.Writer(start=int(last)) as client:
        harness.until(lambda: client.acknowledged, 30, "the first acknowledged row")
        yield client
    assert harness.on("smdw", "ls /var/tmp/second-master 2>/dev/null", check=False) == ""
