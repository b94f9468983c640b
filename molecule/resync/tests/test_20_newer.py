# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nothing newer is given up for something older without being told, and a damaged standby gets the next way at once."""

from __future__ import annotations

import json
import time
from pathlib import Path

from harness import (
    DATA,
    PERMISSION,
    SERVICE,
    Pair,
    accepts_writes,
    differences,
    fingerprint,
    flat,
    mirroring,
    on,
    play,
    sql,
    until,
)
from ways import LOSS, TABLE, assert_synchronised, assert_went, catch_up, kill_server

COPY = "/data/hawq/copy-of-master"
ROWS = 50_000


def damage(host: str) -> None:
    """Damage a few bytes in the page that every session reads first of the catalog of functions."""
    oid = sql(host, "SELECT oid FROM pg_database WHERE datname = 'postgres'")
    on(host, f"systemctl stop {SERVICE}")
    on(host, f"printf '\\377\\377' | dd of={DATA}/base/{oid}/1255 bs=1 seek=20 conv=notrunc status=none")


def test_case_59_a_damaged_standby_gets_the_next_way_in_the_same_run(pair: Pair) -> None:
    damage(pair.standby)
    begin = time.monotonic()
    said = play("resync_standby")
    assert time.monotonic() - begin < 120
    assert "invalid page in block 0" in flat(said)
    assert_went(said, "delta")
    assert_synchronised(pair.master, pair.standby)

    # seen beforehand, it is not started in vain
    damage(pair.standby)
    on(pair.standby, f"systemctl start {SERVICE}", check=False)
    said = play("resync_standby")
    assert "none not possible: its data is damaged" in flat(said)
    assert "finds its data damaged" not in said
    assert_went(said, "delta")
    assert_synchronised(pair.master, pair.standby)


def test_case_54_a_standby_gets_the_settings_that_its_master_has_more_of(pair: Pair) -> None:
    """Its replay is paused for them, and ended by whoever lets it just go on."""
    value = sql(pair.master, "SELECT setting::int + 50 FROM pg_settings WHERE name = 'max_connections'")
    sql(pair.master, f"ALTER SYSTEM SET max_connections = {value}")
    on(pair.master, f"systemctl restart {SERVICE}")
    until(lambda: accepts_writes(pair.master), 60, "the master")
    sql(pair.master, TABLE)
    paused = "SELECT pg_get_wal_replay_pause_state()"
    until(lambda: sql(pair.standby, paused) == "paused", 60, "the pause")
    said = flat(play("resync_standby"))
    assert "it has less than its master of max_connections" in said
    assert_went(said, "start")
    assert f"max_connections = {value}" in said
    assert sql(pair.standby, f"SHOW max_connections; {paused}").split() == [value, "not", "paused"]
    assert_synchronised(pair.master, pair.standby)


def set_back(pair: Pair) -> int:
    """Let the standby have rows of which its master knows nothing, since that was set back to a copy of its files."""
    sql(pair.master, TABLE)
    catch_up(pair)
    on(pair.master, f"systemctl stop {SERVICE} && rm -rf {COPY} && cp -a {DATA} {COPY} && systemctl start {SERVICE}")
    until(lambda: accepts_writes(pair.master), 60, "the master again")
    until(lambda: mirroring(pair.master)[0] == "Synchronized", 60, "mirroring")
    sql(pair.master, f"INSERT INTO bulk SELECT generate_series(1, {ROWS})")
    catch_up(pair)
    on(pair.master, f"systemctl stop {SERVICE} && rm -r {DATA} && mv {COPY} {DATA} && systemctl start {SERVICE}")
    until(lambda: accepts_writes(pair.master), 60, "the master that was set back")
    assert sql(pair.master, "SELECT count(*) FROM bulk") == "0"
    return int(sql(pair.standby, "SELECT count(*) FROM bulk"))


def test_case_79_what_a_set_back_master_lacks_is_given_up_only_when_told(pair: Pair, tmp_path: Path) -> None:
    assert set_back(pair) == ROWS
    before = fingerprint(pair.master)
    said = flat(play("resync_standby", ok=False))
    assert "was set back, or has lost what it had written" in said
    assert f"that only {pair.standby} has" in said
    assert "accept_data_loss=true" in said
    assert differences(before, fingerprint(pair.master)) == []
    said = flat(play("init_standby", ok=False))
    assert "was set back" in said
    said = flat(play("remove_standby", "-e", "existing_data=discard", ok=False))
    assert "To remove it all the same" in said
    assert sql(pair.standby, "SELECT count(*) FROM bulk") == str(ROWS)

    report = tmp_path / "report.json"
    said = play("resync_standby", *LOSS, "-e", f"report_file={report}")
    assert_went(said, "delta")
    kept = json.loads(report.read_text())["lost"]["directory"]
    assert json.loads(on(pair.standby, f"cat {kept}/lost.json"))["transactions"] >= 1
    assert on(pair.standby, f"ls {kept}/pg_wal") != ""
    assert_synchronised(pair.master, pair.standby)
    on(pair.standby, f"rm -r {kept}")


def test_case_79_what_a_set_back_master_lacks_is_kept_by_what_the_refusal_says(pair: Pair) -> None:
    """Stop the master, fail over, compare all: then both have what the standby had."""
    assert set_back(pair) == ROWS
    said = flat(play("resync_standby", ok=False))
    assert f"To keep what {pair.standby} has: systemctl stop {SERVICE} on {pair.master}, then" in said
    on(pair.master, f"systemctl stop {SERVICE}")
    play("failover")
    until(lambda: accepts_writes(pair.standby), 30, "the new master")
    assert_went(play("resync_standby", "-e", "resync_route=delta"), "delta")
    assert_synchronised(pair.standby, pair.master)
    for host in pair:
        assert sql(host, "SELECT count(*) FROM bulk") == str(ROWS)


def test_case_a12_a_stale_master_does_not_take_the_new_one_back(pair: Pair) -> None:
    """The new master's disk is away when the old one is started, by whomever."""
    sql(pair.master, TABLE)
    catch_up(pair)
    kill_server(pair.master)
    play("failover")
    until(lambda: accepts_writes(pair.standby), 30, "the new master")
    sql(pair.standby, f"INSERT INTO bulk SELECT generate_series(1, {ROWS})")
    on(pair.standby, f"systemctl stop {SERVICE} && mv {DATA} {DATA}-elsewhere")
    allow = f"touch {PERMISSION}"  # the operator's permission
    on(pair.master, f"rm -f {DATA}/standby.signal {DATA}/hawq_mirroring.fence && {allow} && systemctl start {SERVICE}")
    until(lambda: accepts_writes(pair.master), 60, "the stale master")
    on(pair.standby, f"mv {DATA}-elsewhere {DATA}")

    said = flat(play("resync_standby", ok=False))
    assert f"{pair.standby} is on timeline" in said
    assert f"that only {pair.standby} has" in said
    assert f"To keep what {pair.standby} has: systemctl stop {SERVICE} on {pair.master}, then systemctl start" in said
    on(pair.master, f"systemctl stop {SERVICE}")
    on(pair.standby, f"systemctl start {SERVICE}")
    until(lambda: accepts_writes(pair.standby), 60, "the new master again")
    play("resync_standby")
    assert_synchronised(pair.standby, pair.master)
    for host in pair:
        assert sql(host, "SELECT count(*) FROM bulk") == str(ROWS)
    on(pair.master, f"rm -rf {DATA}.hawq-lost-*")
