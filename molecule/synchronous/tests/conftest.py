# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A pair whose commits wait, three witnesses, and a client that writes through the address of the master."""

from __future__ import annotations

import typing as t
from pathlib import Path

import harness
import pairs
import pytest
from waiting import SEGMENTS, WITNESSES, guard_of

harness.INVENTORY = Path(__file__).resolve().parent.parent / "inventory"
EVERYBODY = (*pairs.HOSTS, *WITNESSES)


def give_back() -> None:
    """Switch on, thaw, plug in and join whatever the last test has left."""
    for line in harness.lab("status").splitlines():
        words = line.split()
        if line.startswith("cut: "):
            harness.lab("join", *words[1:])
        elif words and words[0] in EVERYBODY:
            harness.lab("plug", words[0])
            verb = {"frozen": "thaw", "on": ""}.get(words[1], "power-on")
            if verb:
                harness.lab(verb, words[0])


@pytest.fixture(scope="session")
def made() -> None:
    """Make the pair and its witnesses."""
    harness.play("init_master", "-e", "master_host=mdw")
    harness.open_to_clients()
    harness.play("init_standby")
    for host in SEGMENTS:
        harness.on(host, "id gpadmin 2>/dev/null || useradd --create-home gpadmin")
        own = "systemctl is-active own || systemd-run --quiet --unit=own python3 -m http.server 40000"
        harness.on(host, own, check=False)
    harness.play("init_segments")
    # a guard counts a witness once that has told its record
    says = "SELECT public.hawq_mirroring_guard() ->> 'reason'"
    harness.until(lambda: f"of {len(WITNESSES)} witnesses" in harness.sql("mdw", says), 60, "the guard counts them all")


@pytest.fixture
def pair(made: None, request: pytest.FixtureRequest) -> harness.Pair:
    """Give a pair in which every commit waits, whatever the last test has left."""
    give_back()
    try:
        harness.until(lambda: any(map(harness.accepts_writes, pairs.HOSTS)), 60, "a master")
    except AssertionError:
        if not request.session.testsfailed:
            raise
        # a test that failed left none: the others are to be played all the same
        harness.play("failover", "-e", "master_is_down=true", "-e", "accept_data_loss=true")
    master = next(host for host in pairs.HOSTS if harness.accepts_writes(host))
    standby = next(host for host in pairs.HOSTS if host != master)
    if harness.mirroring(master)[0] != "Synchronized":
        harness.play("resync_standby")
    harness.until(lambda: harness.mirroring(master)[0] == "Synchronized", 60, "every commit waits")
    harness.until(lambda: guard_of(master) == "SYNCHRONOUS", 60, "its witnesses know it")
    return harness.Pair(master, standby)


@pytest.fixture
def ledger(pair: harness.Pair) -> t.Iterator[harness.Ledger]:
    """Give a client that commits numbered rows with whichever host takes them."""
    last = harness.sql(pair.master, "SELECT coalesce(max(n), 0) + 1 FROM ledger")
    with harness.Ledger(",".join(pairs.HOSTS), pairs.HOSTS, start=int(last)) as client:
        harness.until(lambda: len(client.acknowledged) > 20, 30, "the first acknowledged rows")
        yield client
