# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much WAL a new master keeps, by the room on its disk."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import retention

MEGABYTE, SEGMENT = 1 << 20, 16 << 20


def room(free: int, wal: int = 0, segment: int = 16) -> retention.Room:
    return retention.Room(free * MEGABYTE, wal * MEGABYTE, segment * MEGABYTE, 1024 * MEGABYTE)


@pytest.mark.parametrize(
    ("found", "megabytes"),
    [
        pytest.param(room(100_000), 78_976, id="a-fifth-and-what-comes-between-checkpoints"),
        pytest.param(room(400), 112, id="half-of-a-small-disk"),
        pytest.param(room(200, 200), 256, id="what-is-there-counts"),
        pytest.param(room(10), 64, id="four-segments-at-least"),
        pytest.param(room(10, segment=64), 256, id="of-any-size"),
    ],
)
def test_what_the_disk_can_hold(found: retention.Room, megabytes: int) -> None:
    assert retention.affordable(found) == megabytes


@pytest.mark.parametrize(
    ("present", "found", "fresh", "limit"),
    [
        pytest.param(-1, room(100_000), True, 10_240, id="none-yet"),
        pytest.param(-1, room(400), True, 112, id="none-yet-and-a-small-disk"),
        pytest.param(-1, room(400), False, 112, id="of-a-master-too"),
        pytest.param(10_240, room(400), True, 112, id="more-than-the-disk-can-hold"),
        pytest.param(96, room(400), True, None, id="small-enough"),
        pytest.param(300, room(400), False, None, id="a-second-run-changes-nothing"),
        pytest.param(10_240, room(400), False, 112, id="unless-it-would-fill-the-disk"),
        pytest.param(64, room(1), False, None, id="the-least-stays"),
    ],
)
def test_the_limit(present: int, found: retention.Room, fresh: bool, limit: int | None) -> None:
    assert retention.limit(present, 10_240, found, fresh) == limit


def test_a_limit_that_was_set_stays_by_a_second_run() -> None:
    """While the disk fills with what is kept, the room stays the same."""
    found = room(400)
    limit = retention.limit(-1, 10_240, found, True)
    for kept in range(0, 112, 16):
        assert retention.limit(limit or 0, 10_240, room(400 - kept, kept), False) is None
