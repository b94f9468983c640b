# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Segments register with whoever is the master, and know how it was when they last reached it."""

from __future__ import annotations

import json

from harness import Pair, accepts_writes, changed, flat, lab, on, play, sql, until
from pairs import SEGMENTS, WITH_SEGMENTS

DOWN = ("-e", "master_is_down=true")


def rows(master: str) -> dict[str, tuple[str, str, str]]:
    """Role, status and description of each host in the view."""
    lines = sql(master, "SELECT hostname, role, status, description FROM gp_segment_configuration").splitlines()
    return {name: (role, status, text) for name, role, status, text in (line.split("|") for line in lines)}


def test_segments_are_shown_as_they_are(segments: Pair) -> None:
    assert changed(play("init_segments", *WITH_SEGMENTS)) == 0
    shown = rows(segments.master)
    assert (shown[segments.master][:2], shown[segments.standby][:2]) == (("m", "u"), ("s", "u"))
    assert [shown[host][0] for host in SEGMENTS] == ["p", "p"]
    on("sdw1", "systemctl stop own")
    until(lambda: rows(segments.master)["sdw1"][1] == "d", 30, "the segment whose server is gone")
    assert "its server at port 40000 does not answer" in rows(segments.master)["sdw1"][2]
    assert "Segment sdw1:40000" in play("state", *WITH_SEGMENTS)
    # the password lets a segment register, and do nothing else
    memory = json.loads(on("sdw1", "cat /var/lib/hawq-mirroring-segment/segment.json"))
    assert (memory["master"], memory["summary_state"]) == (segments.master, "Synchronized")
    login = f"host={segments.master} dbname=postgres user=hawq_mirroring_segment"
    login += " passfile=/etc/hawq-mirroring/segment.pgpass"
    query = f'cd / && runuser -u gpadmin -- psql "{login}" -Xc "{{}}" 2>&1'
    assert "permission denied" in on("sdw1", query.format("TABLE hawq_mirroring_segment"), check=False)
    assert on("sdw1", "stat -c '%a %U' /etc/hawq-mirroring/segment.pgpass") == "600 gpadmin"


def test_case_35_a_dead_segment_delays_nobody(segments: Pair) -> None:
    lab("power-off", "sdw2")
    lab("power-off", segments.master)
    try:
        said = flat(play("failover", *WITH_SEGMENTS, *DOWN))
        assert "sdw1 last reached" in said
        assert "Segments registered = sdw1 " in said
        assert "Segments not registered = sdw2 " in said
        assert rows(segments.standby)["sdw1"][1] == "u"
        assert rows(segments.standby)["sdw2"][1:] == ("d", "has not reported to this master yet")
        assert segments.master not in rows(segments.standby)
    finally:
        lab("power-on", "sdw2")
        lab("power-on", segments.master)
    on("sdw2", "systemd-run --quiet --unit=own python3 -m http.server 40000")
    until(lambda: rows(segments.standby)["sdw2"][1] == "u", 60, "the segment finds the new master by itself")


def test_case_30_segments_know_that_the_standby_was_behind(segments: Pair) -> None:
    sql(segments.master, "ALTER SYSTEM SET wal_sender_timeout = '3s'; SELECT pg_reload_conf();")
    lab("cut", segments.master, segments.standby)

    def remembered() -> list[str]:
        return [
            json.loads(on(host, "cat /var/lib/hawq-mirroring-segment/segment.json"))["summary_state"]
            for host in SEGMENTS
        ]

    until(lambda: remembered() == ["Not Synchronized"] * 2, 60, "the segments have heard of it")
    lab("power-off", segments.master)
    lab("join", segments.master, segments.standby)
    said = flat(play("failover", *WITH_SEGMENTS, *DOWN, ok=False))
    assert "and was Not Synchronized when sdw" in said
    assert "-e accept_data_loss=true" in said
    assert not accepts_writes(segments.standby)
    # the host comes back in time: nothing is lost after all
    lab("power-on", segments.master)
    until(lambda: accepts_writes(segments.master), 60, "the master again")
    sql(segments.master, "ALTER SYSTEM RESET wal_sender_timeout; SELECT pg_reload_conf();")
