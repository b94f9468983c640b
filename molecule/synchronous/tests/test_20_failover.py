# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""After the loss of a master its witnesses tell whether anything is lost, and one that is cut off confirms nothing."""

from __future__ import annotations

import json
from pathlib import Path

from harness import SERVICE, Ledger, Pair, accepts_writes, flat, lab, mirroring, on, play, sql, until
from waiting import goes_on, guard_of

#: a client on the host of the master itself: what it is told stands in a file
OWN_CLIENT = """
import psycopg2
connection = psycopg2.connect(host='/tmp', dbname='postgres', user='gpadmin')
connection.autocommit = True
cursor, number = connection.cursor(), 0
with open('/var/tmp/told', 'w', buffering=1) as told:
    while True:
        number += 1
        cursor.execute('INSERT INTO own VALUES (%s)', (number,))
        print(number, file=told)
"""


def report_of(path: Path) -> dict[str, str]:
    return dict(json.loads(path.read_text())["facts"])


def test_the_master_is_lost_with_its_host_and_nothing_of_it(pair: Pair, ledger: Ledger, tmp_path: Path) -> None:
    """Nobody says that it is off, and its disk is not there: the witnesses know that it was never alone."""
    goes_on(ledger)
    lab("power-off", pair.master)
    said = play("failover", "-e", f"report_file={tmp_path}/report.json")
    assert report_of(tmp_path / "report.json")["Data lost"].startswith(f"none: commits on {pair.master} waited"), said
    goes_on(ledger)
    ledger.stop()
    assert ledger.missing_on(pair.standby) == []
    assert ledger.two_writers() == []
    lab("power-on", pair.master)
    play("resync_standby")
    until(lambda: mirroring(pair.standby)[0] == "Synchronized", 60, "every commit waits")


def test_one_that_has_gone_on_alone_is_told_with_the_time(pair: Pair, ledger: Ledger) -> None:
    lab("power-off", pair.standby)
    until(lambda: guard_of(pair.master) == "ALONE", 60, "the master goes on alone")
    goes_on(ledger)
    lab("power-off", pair.master)
    lab("power-on", pair.standby)
    said = flat(play("failover", ok=False))
    assert f"{pair.master} has gone on alone since" in said
    assert not accepts_writes(pair.standby)
    # its disk is there again, and has what the standby lacks
    lab("power-on", pair.master)
    until(lambda: accepts_writes(pair.master), 60, "the master is back")
    until(lambda: mirroring(pair.master)[0] == "Synchronized", 90, "every commit waits")
    ledger.stop()
    assert ledger.missing_on(pair.standby) == []


def test_one_that_is_cut_off_confirms_nothing_any_more(pair: Pair) -> None:
    """Its own clients go on asking it: what they were told is on the new master."""
    sql(pair.master, "CREATE TABLE IF NOT EXISTS own (n int); TRUNCATE own")
    on(pair.master, f'systemd-run -q --collect --uid=gpadmin --unit=own-client python3 -c "{OWN_CLIENT}"')
    until(
        lambda: int(on(pair.master, "cat /var/tmp/told 2>/dev/null | wc -l")) > 100,
        30,
        "its client was told of commits",
    )
    lab("unplug", pair.master)
    play("failover")
    until(lambda: accepts_writes(pair.standby), 60, "a new master")
    lab("plug", pair.master)
    # it is not fenced, since nobody has reached it: what the refusal says leads home
    said = flat(play("failover", ok=False))
    assert f"To keep {pair.standby}: systemctl stop {SERVICE} on {pair.master}, then" in said
    on(pair.master, f"systemctl stop {SERVICE}")
    play("resync_standby")
    until(lambda: mirroring(pair.standby)[0] == "Synchronized", 60, "every commit waits")
    rows = [int(line) for line in on(pair.master, "cat /var/tmp/told").split()]
    there = {int(line) for line in sql(pair.standby, "SELECT n FROM own").split()}
    assert len(rows) > 100
    assert [number for number in rows if number not in there] == []


def test_planned_work(pair: Pair, ledger: Ledger) -> None:
    """A swap, a removal and a new standby: nothing is lost, and commits wait again."""
    play("switchover")
    goes_on(ledger)
    until(lambda: mirroring(pair.standby)[0] == "Synchronized", 60, "every commit waits")
    play("remove_standby", "-e", "existing_data=discard")
    goes_on(ledger)
    assert sql(pair.standby, "SHOW synchronous_standby_names") == ""
    play("init_standby")
    until(lambda: mirroring(pair.standby)[0] == "Synchronized", 60, "every commit waits")
    ledger.stop()
    assert ledger.missing_on(pair.master) == []
    assert ledger.two_writers() == []
