# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Root keeps to root's places: one run of every playbook, traced, and not a call of root's in a place of the user's.

So there is nothing that a link, a pipe or another owner in such a place could lead root to; the other tests try it.
"""

from __future__ import annotations

import posixpath

import harness
import pytest
import trace_root as trace
from harness import DATA, lab, on, open_to_clients, play, sql
from ways import kill_server

HOSTS = ("mdw", "smdw", "sdw1")
#: where the server's user, or whoever has taken it over, can put what it likes
PLACES = ("/home/gpadmin", DATA, "/data/spaces/one", "/var/lib/hawq-mirroring-segment", "/tmp/hawq")


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Let the modules on every host run under strace."""
    path = tmp_path_factory.mktemp("traced") / "hosts.yml"
    hosts = "".join(f"    {host}:\n      ansible_python_interpreter: {trace.PYTHON}\n" for host in HOSTS)
    path.write_text(f"all:\n  hosts:\n{hosts}")
    for host in HOSTS:
        trace.begin(host)
    return ["-i", str(harness.INVENTORY), "-i", str(path)]


def users(touch: trace.Touch) -> bool:
    """Whether a call could have been led elsewhere: its path leads through a place of the user's."""
    if not touch.path.startswith(PLACES):
        return False
    if touch.call in ("fchown", "fchmod"):  # of what was opened as one name in a directory of root's
        return posixpath.dirname(touch.path).startswith(PLACES)
    if touch.call == "renameat" and touch.within == f"{DATA}.hawq-snapshot":
        return False  # the copy comes out of the user's directory, and what has arrived is looked at
    # one name in a directory of root's that is open already: nobody else can exchange it
    return touch.within is None or touch.within.startswith(PLACES)


def found() -> list[str]:
    """Return what root did in places of the user's since the last time."""
    bad: list[str] = []
    for host in HOSTS:
        touches = trace.touched(host)
        assert touches or host == "sdw1", f"nothing was traced on {host}"
        bad += sorted(f"{host}: {touch.text}" for touch in touches if users(touch))
    return bad


def traced(inventory: list[str], playbook: str, *arguments: str) -> str:
    said = play(playbook, *inventory, *arguments, timeout=600)
    bad = found()
    assert bad == [], f"{playbook}: {len(bad)} calls\n" + "\n".join(bad[:60])
    return said


def rows() -> str:
    return sql("mdw", "SELECT count(*) FROM ledger")


def test_a_pair_is_made(inventory: list[str]) -> None:
    traced(inventory, "init_master", "-e", "master_host=mdw")
    on("mdw", "install -d -o gpadmin -m 700 /data/spaces/one")
    sql("mdw", "CREATE TABLESPACE one LOCATION '/data/spaces/one'")
    sql("mdw", "CREATE TABLE ledger (n bigint PRIMARY KEY) TABLESPACE one")
    open_to_clients()
    traced(inventory, "init_standby")
    on("sdw1", "id gpadmin || useradd --create-home gpadmin")
    traced(inventory, "init_segments")


def test_looking_and_drift(inventory: list[str]) -> None:
    traced(inventory, "state")
    on("smdw", "rm -f ~gpadmin/.pgpass ~gpadmin/.bash_profile ~gpadmin/.ssh/known_hosts")
    sql("smdw", "ALTER SYSTEM RESET primary_slot_name")
    traced(inventory, "init_standby")


def test_a_switchover_and_its_way_back(inventory: list[str]) -> None:
    traced(inventory, "switchover")
    traced(inventory, "switchover")


@pytest.mark.parametrize(("way", "relayed"), [("rewind", False), ("delta", True), ("snapshot", False)])
def test_a_failover_with_a_salvage_and_each_way_back(inventory: list[str], way: str, relayed: bool) -> None:
    """A killed master has rows that its standby has not, since the cable between them was cut before."""
    lab("cut", "mdw", "smdw")
    sql("mdw", "INSERT INTO ledger SELECT g + (SELECT coalesce(max(n), 0) FROM ledger) FROM generate_series(1, 500) g")
    before = rows()
    kill_server("mdw")
    if not relayed:
        lab("join", "mdw", "smdw")
    traced(inventory, "failover")
    lab("join", "mdw", "smdw")
    assert sql("smdw", "SELECT count(*) FROM ledger") == before
    traced(inventory, "resync_standby", "-e", f"resync_route={way}")
    traced(inventory, "switchover")
    assert rows() == before


def test_a_removal(inventory: list[str]) -> None:
    traced(inventory, "remove_standby", "-e", "existing_data=discard")
