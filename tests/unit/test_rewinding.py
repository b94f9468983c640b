# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a host's data could be taken back to where its history left the master's."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.judge import rewinding
from observations import FOREIGN, Observation, empty, mirrored, stopped, stopped_standby

REASONS: dict[str, tuple[Observation, Observation, str]] = {
    "a former master": (stopped(), mirrored(), ""),
    "a standby": (stopped_standby(), mirrored(), ""),
    "an engine that has no means of it": (stopped(), mirrored("mdw", {"engine": "hawq2"}), "HAWQ has no means"),
    "nothing there": (empty(), mirrored(), "the host has no readable data directory"),
    "control file gone": (stopped("smdw", {"control": None}), mirrored(), "the host has no readable data directory"),
    "another system": (
        stopped("smdw", {"control.system_identifier": FOREIGN}),
        mirrored(),
        "the data belongs to another system",
    ),
    "left half-way": (
        stopped("smdw", {"data_directory.unfinished": True}),
        mirrored(),
        "an earlier run has left it half-way",
    ),
    "neither checksums nor hints": (
        stopped("smdw", {"control.can_rewind": False}),
        mirrored(),
        "neither data checksums nor wal_log_hints are on",
    ),
}


@pytest.mark.parametrize(("seen", "source", "reason"), REASONS.values(), ids=REASONS)
def test_why_data_cannot_be_rewound(seen: Observation, source: Observation, reason: str) -> None:
    found = rewinding.why_not(seen, source)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)
