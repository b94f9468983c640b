# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A disk that is full, or that lets nothing be written, on the host that fails and on the host that is to take over."""

from __future__ import annotations

import typing as t

import pytest
from harness import DATA, SERVICE, Ledger, Pair, accepts_writes, changed, flat, mirroring, on, play, sql, until

THROUGH_BOTH = pytest.mark.parametrize("ledger", ["mdw,smdw"], indirect=True)
PLACE = "/data/hawq"


def kill_server(host: str) -> None:
    """Kill it and wait for its last process: a file that one has open keeps a file system from becoming read-only."""
    on(host, f"kill -9 $(head -1 {DATA}/postmaster.pid)")
    until(lambda: on(host, "pgrep -u gpadmin postgres", check=False) == "", 30, "the server is gone")


@THROUGH_BOTH
@pytest.mark.parametrize("how", ["full", "read-only"])
def test_master_whose_disk_takes_nothing(how: str, pair: Pair, disk: t.Callable[[str], None], ledger: Ledger) -> None:
    """Its record of a fence cannot be written: its interlock keeps it from starting, and no row is lost."""
    disk(pair.master)
    on(pair.master, f"systemctl start {SERVICE}")
    until(lambda: accepts_writes(pair.master), 60, "the master on the small disk")
    until(lambda: mirroring(pair.master)[0] == "Synchronized", 60, "the pair again")
    served = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > served + 20, 60, "commits on the small disk")
    kill_server(pair.master)
    if how == "full":
        on(pair.master, f"cat /dev/zero > {PLACE}/filler", check=False)
    else:
        on(pair.master, f"mount -o remount,ro {PLACE}")
    said = play("failover")
    assert "takes no record that says that the server here must not be the master" in flat(said), said
    assert accepts_writes(pair.standby)
    served = len(ledger.acknowledged)
    until(lambda: len(ledger.acknowledged) > served + 20, 60, "commits on the new master")
    on(pair.master, f"mount -o remount,rw {PLACE}; rm -f {PLACE}/filler; systemctl start --no-block {SERVICE}")
    kept = f"{pair.standby} is a master of the same system"
    until(lambda: kept in on(pair.master, f"journalctl -o cat -n 20 -u {SERVICE}"), 60, "its interlock speaks")
    assert not accepts_writes(pair.master)
    play("resync_standby")
    assert mirroring(pair.standby)[0] == "Synchronized"
    ledger.swaps = 1
    ledger.stop()
    assert ledger.lost_on(pair.standby) == []


def test_standby_whose_file_system_is_read_only(pair: Pair, disk: t.Callable[[str], None]) -> None:
    """It is told of before a failover needs it, and no failover touches the master for it."""
    disk(pair.standby)
    on(pair.standby, f"mount -o remount,ro {PLACE}")
    said = flat(play("state", ok=False))
    assert f"the file system of {DATA} on {pair.standby} is mounted read-only" in said, said
    kill_server(pair.master)
    said = play("failover", ok=False)
    assert f"the file system of {DATA} on {pair.standby} is mounted read-only" in flat(said), said
    assert changed(said) == 0
    on(pair.standby, f"mount -o remount,rw {PLACE}")
    play("failover")
    assert sql(pair.standby, "SELECT pg_is_in_recovery()") == "f"
