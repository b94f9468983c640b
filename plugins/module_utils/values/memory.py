# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a segment has written down of the master that it last reached. Pure.

The file belongs to the segment's user, who may be anybody's by now: it is read as any input is, and what does not fit
is told and not believed.
"""

from __future__ import annotations

import json
import re
import typing as t

if t.TYPE_CHECKING:
    from .observation import Witness


#: bytes that a memory has at most
LONGEST = 4096
#: characters that the name of a host has at most
NAME_LENGTH = 253
#: seconds since the epoch at the end of the year 9999, which is as far as a date goes
LAST_MOMENT = 253402300800
STATES = ("Not Configured", "Synchronizing", "Synchronized", "Not Synchronized")


def parse(text: str) -> tuple[Witness | None, str | None]:
    """Return what is remembered, or why it cannot be believed. Keys that are not known are left alone."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None, "it is no JSON"
    if not isinstance(found, dict):
        return None, "it is no record"
    wrong = sorted(name for name, fits in _CHECKS.items() if not fits(found.get(name)))
    if wrong:
        return None, f"{' and '.join(wrong)} cannot be right"
    return {
        "master": found["master"],
        "timeline": found["timeline"],
        "lsn": found["lsn"] or None,
        "summary_state": found["summary_state"],
        "at": float(found["at"]),
        "age_seconds": None,
        "system_identifier": found.get("system_identifier"),
    }, None


def _is_name(value: t.Any) -> bool:
    return isinstance(value, str) and len(value) <= NAME_LENGTH and value.isprintable()


def _is_timeline(value: t.Any) -> bool:
    return value is None or (_is_number(value) and isinstance(value, int) and 0 < value < 1 << 32)


def _is_lsn(value: t.Any) -> bool:
    # an engine may have none
    return value in (None, "") or (isinstance(value, str) and bool(re.fullmatch(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}", value)))


def _is_moment(value: t.Any) -> bool:
    return _is_number(value) and 0 <= value < LAST_MOMENT


def _is_system(value: t.Any) -> bool:
    """Whether it is an identifier; None is what version 1.0 of the program has written down."""
    return value is None or (isinstance(value, str) and bool(re.fullmatch(r"[1-9][0-9]{0,19}", value)))


def _is_number(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_CHECKS: dict[str, t.Callable[[t.Any], bool]] = {
    "master": _is_name,
    "timeline": _is_timeline,
    "lsn": _is_lsn,
    "summary_state": STATES.__contains__,
    "at": _is_moment,
    "system_identifier": _is_system,
}
