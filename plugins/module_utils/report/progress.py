# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A line of progress. Pure."""

from __future__ import annotations

import typing as t

from ..values.text import size


def line(what: str, progress: dict[str, t.Any], seconds: float, first_bytes: int) -> str:
    """Return percent, bytes, rate and time left; ``first_bytes`` had been done ``seconds`` ago."""
    done, total = progress["streamed_bytes"], progress["total_bytes"]
    text = f"  {what}: {progress['phase']}"
    if not done:
        return text
    rate = (done - first_bytes) / seconds if seconds > 0 else 0
    if total:
        text += f", {min(100, 100 * done // total)} %, {size(done)} of {size(max(total, done))}"
    else:
        text += f", {size(done)}"
    if rate > 0:
        text += f", {size(rate)}/s"
        if total and total > done:
            text += f", {(total - done) / rate:.0f} s left"
    return text
