# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which timeline a host's WAL ends on, and its history."""

from __future__ import annotations

from ansible_collections.hawq.mirroring.plugins.module_utils.judge import timelines
from ansible_collections.hawq.mirroring.plugins.module_utils.values import history
from cases import FORK
from observations import change, control, stopped


def test_a_master_just_promoted_is_known_by_its_history_file() -> None:
    """Its control file still names the old timeline."""
    seen = stopped("smdw", {"control": control("in production"), "histories": {"2": [[1, FORK]]}})
    assert timelines.timeline(seen) == 2
    assert timelines.stretches(change(seen, {"histories": {}})) == [history.Stretch(1, 0, None)]
    assert timelines.stretches(stopped("smdw", {"control.timeline": 2})) is None
