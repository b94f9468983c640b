# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All is taken away from a pair with an address and segments, whose database was renamed meanwhile. It comes last."""

from __future__ import annotations

from harness import SERVICE, Pair, accepts_writes, changed, flat, on, play, sql, until
from pairs import SEGMENTS, VIRTUAL_IP, WITH_SEGMENTS

FILES = (
    "/etc/hawq-mirroring /usr/local/libexec/hawq-* /etc/systemd/system/hawq-mirroring-* /var/lib/hawq-mirroring*"
    " /run/hawq-mirroring-virtual-ip-* /run/hawq-mirroring-*.start /etc/security/limits.d/hawq-*"
)


def left(host: str) -> str:
    """Return the files of the collection on a host, and units of it that run or have failed."""
    files = on(host, f"ls -d {FILES} 2>/dev/null", check=False)
    return files + on(host, "systemctl list-units --all --no-legend 'hawq-mirroring-*'; systemctl --failed --no-legend")


def test_all_is_taken_away_at_once(segments: Pair) -> None:
    master, standby = segments
    sql(master, "ALTER DATABASE postgres RENAME TO renamed", database="template1")
    said = flat(play("state", *WITH_SEGMENTS, ok=False))
    for host in SEGMENTS:
        assert f"segment {host} does not get through to {master}" in said
    began = sql(master, "SELECT pg_postmaster_start_time()", database="renamed")

    said = flat(play("uninstall", *WITH_SEGMENTS, "-e", "remove_standbys=true", "-e", "existing_data=discard"))

    assert f"the address that follows the master stays on {master} until its next boot" in said
    assert f" {VIRTUAL_IP}/" in on(master, "ip -o -4 address show")
    assert f" {VIRTUAL_IP}/" not in on(standby, "ip -o -4 address show")
    assert {host: left(host) for host in (master, standby, *SEGMENTS)} == dict.fromkeys(
        (master, standby, *SEGMENTS), ""
    )
    asked = (
        "SELECT count(*) FROM pg_roles WHERE rolname ~ 'hawq'",
        "SELECT count(*) FROM pg_extension WHERE extname ~ 'hawq'",
    )
    for database in ("renamed", "template1"):
        assert [sql(master, query, database=database) for query in asked] == ["0", "0"]
    assert changed(play("uninstall", *WITH_SEGMENTS)) == 0
    assert sql(master, "SELECT pg_postmaster_start_time()", database="renamed") == began
    sql(master, "ALTER DATABASE renamed RENAME TO postgres", database="template1")
    on(master, f"systemctl restart {SERVICE}")
    # without the interlock's unit file nothing waits for the server any more
    until(lambda: accepts_writes(master), 60, f"a master on {master}")
