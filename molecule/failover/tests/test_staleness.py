# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A standby that was cut off before its master's host went down takes over with open eyes only (acceptance case 56)."""

from __future__ import annotations

import json
import time
from pathlib import Path

from harness import DATA, Pair, accepts_writes, changed, flat, lab, mirroring, on, play, sql, until

DOWN = ("-e", "master_is_down=true")
STALE_SECONDS = 10
STALE = ("-e", f"stale_seconds={STALE_SECONDS}")
TABLE = "CREATE TABLE IF NOT EXISTS alone (n bigint PRIMARY KEY); TRUNCATE alone;"
ROWS = 500


def test_case_56_cut_off_long_before(pair: Pair, tmp_path: Path) -> None:
    """There is no segment to ask: nobody but the disk of the old master knows what was committed there."""
    on(pair.master, f"rm -rf {DATA}.hawq-lost-*")  # of earlier tests
    sql(pair.master, TABLE)
    until(lambda: sql(pair.standby, "SELECT to_regclass('alone') IS NOT NULL") == "t", 30, "the table on the standby")
    lab("cut", pair.master, pair.standby)
    begun = time.monotonic()
    try:
        for number in range(ROWS):
            if number % 50 == 0:
                sql(pair.master, f"INSERT INTO alone SELECT generate_series({number}, {number + 49})")
                time.sleep(1)
        until(lambda: time.monotonic() - begun > 1.5 * STALE_SECONDS, 60, "the standby is stale")
        lab("power-off", pair.master)
    finally:
        lab("join", pair.master, pair.standby)

    said = play("failover", *DOWN, *STALE, ok=False)
    assert changed(said) == 0
    for words in (f"{pair.standby} last received WAL ", "its last commit is of ", " ago", "-e accept_data_loss=true"):
        assert words in flat(said), said
    assert sql(pair.standby, "SELECT pg_is_in_recovery()") == "t"

    report = tmp_path / "failover.json"
    play("failover", *DOWN, *STALE, "-e", "accept_data_loss=true", "-e", f"report_file={report}")
    assert accepts_writes(pair.standby)
    assert sql(pair.standby, "SELECT count(*) FROM alone") == "0"
    lost = json.loads(report.read_text())["facts"]["Data lost"]
    assert lost.startswith("not known"), lost  # nobody can tell before that host is back

    lab("power-on", pair.master)
    report = tmp_path / "resync.json"
    said = play("resync_standby", "-e", f"report_file={report}")
    assert mirroring(pair.standby)[0] == "Synchronized"
    facts = json.loads(report.read_text())["facts"]
    place = facts["Kept aside"]
    assert place.startswith(f"{DATA}."), facts
    told = json.loads(on(pair.master, f"cat {DATA}.hawq-lost-*/lost.json"))
    assert told["transactions"] >= ROWS // 50
    assert not accepts_writes(pair.master)
    on(pair.master, f"rm -r {DATA}.hawq-lost-*")
