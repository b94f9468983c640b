# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The line that shows how far a long step is."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.report import progress

MEGABYTE = 1 << 20
LINES: dict[str, tuple[tuple[int, int | None, float, int], str]] = {
    "nothing yet": ((0, None, 0.0, 0), "copying"),
    "rate and time left": (
        (60 * MEGABYTE, 100 * MEGABYTE, 5.0, 10 * MEGABYTE),
        "copying, 60 %, 60 MB of 100 MB, 10 MB/s, 4 s left",
    ),
    "first look": ((10 * MEGABYTE, 100 * MEGABYTE, 0.0, 10 * MEGABYTE), "copying, 10 %, 10 MB of 100 MB"),
    "total not known": ((10 * MEGABYTE, None, 1.0, 0), "copying, 10 MB, 10 MB/s"),
    "more than the estimate": ((110 * MEGABYTE, 100 * MEGABYTE, 1.0, 0), "copying, 100 %, 110 MB of 110 MB, 110 MB/s"),
    "stalled": ((10 * MEGABYTE, 100 * MEGABYTE, 5.0, 10 * MEGABYTE), "copying, 10 %, 10 MB of 100 MB"),
}


@pytest.mark.parametrize(("given", "text"), LINES.values(), ids=LINES)
def test_progress(given: tuple[int, int | None, float, int], text: str) -> None:
    done, total, seconds, first = given
    answer = {"phase": "copying", "streamed_bytes": done, "total_bytes": total}
    assert progress.line("snapshot", answer, seconds, first) == f"  snapshot: {text}"
