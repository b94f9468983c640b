# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The document of a run: its times."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.report import document


@pytest.mark.parametrize(
    ("marks", "seconds", "total"),
    [
        pytest.param({"began": 10.0, "judge": 12.5}, {"judge": 2.5, "act and confirm": 7.5}, 10.0, id="each step"),
        pytest.param({"began": 10.0, "a": None, "b": 15.0}, {"b": 5.0, "act and confirm": 5.0}, 10.0, id="left out"),
        pytest.param({}, {"act and confirm": 0.0}, 0.0, id="none"),
    ],
)
def test_times(marks: dict[str, float | None], seconds: dict[str, float], total: float) -> None:
    assert document.timed(marks, 20.0) == {"seconds": seconds, "total_seconds": total}
