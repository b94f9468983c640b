# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the routes of a resynchronisation are judged by: whether it is a standby, and what WAL it has."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge.resync.case import Case
from cases import PARTED, activated, case
from observations import FORMER, REMOVED, control, empty, frozen, mirrored, standby, stopped, stopped_standby

BOOTED = stopped_standby("smdw", {"data_directory.fenced": True})
STANDBYS: dict[str, tuple[Case, bool]] = {
    "running": (case(standby(), mirrored()), True),
    "stopped": (case(stopped_standby(), mirrored()), True),
    "frozen": (case(frozen(standby()), mirrored()), True),
    "it missed a new timeline": (case(stopped_standby(), activated(), fork=PARTED), True),
    "removed, and it missed a new timeline": (case(stopped_standby("smdw", REMOVED), activated(), fork=PARTED), True),
    "a former master": (case(stopped("smdw", FORMER), activated(), fork=PARTED), False),
    "a former master that was booted and stopped": (case(BOOTED, activated(), fork=PARTED), False),
    "a former master that has followed since": (case(BOOTED, activated()), True),
    "a former master that may have followed, without timelines": (
        case(BOOTED, mirrored("mdw", {"engine": "hawq2"})),
        False,
    ),
    "nothing there": (case(empty(), mirrored()), False),
}


@pytest.mark.parametrize(("judged", "is_standby"), STANDBYS.values(), ids=STANDBYS)
def test_whether_it_is_a_standby(judged: Case, is_standby: bool) -> None:
    assert judged.standby is is_standby


HAVE: dict[str, tuple[Case, str | None]] = {
    "its server tells": (case(standby("smdw", {"server.have_lsn": "0/4017F88"}), mirrored()), "0/4017F88"),
    "its recovery has got beyond its checkpoint": (case(stopped_standby(), mirrored()), "0/3017F88"),
    "its checkpoint": (
        case(stopped("smdw", {"control": control("shut down", checkpoint_lsn="0/4000028")}), mirrored()),
        "0/4000028",
    ),
    "its server cannot tell": (case(standby("smdw", {"server.have_lsn": None}), mirrored()), None),
    "control file gone": (case(stopped("smdw", {"control": None}), mirrored()), None),
}


@pytest.mark.parametrize(("judged", "have"), HAVE.values(), ids=HAVE)
def test_up_to_where_it_has_wal(judged: Case, have: str | None) -> None:
    assert judged.have == have
