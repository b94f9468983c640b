# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LSNs: both ways, and how far one is from another."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import lsn
from cases import rows


@pytest.mark.parametrize(
    ("text", "position"),
    rows(
        {
            "zero": ("0/0", 0),
            "low half": ("0/3017F88", 0x3017F88),
            "both halves": ("16/B374D848", 0x16B374D848),
            "largest": ("FFFFFFFF/FFFFFFFF", 2**64 - 1),
        }
    ),
)
def test_lsn_both_ways(text: str, position: int) -> None:
    assert lsn.parse(text) == position
    assert lsn.render(position) == text


@pytest.mark.parametrize(
    "text",
    rows({"empty": "", "no slash": "16B374D848", "no low half": "16/", "not hexadecimal": "0/XYZ", "two": "0/1/2"}),
)
def test_lsn_malformed(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        lsn.parse(text)


@pytest.mark.parametrize(
    ("ahead", "behind", "bytes_"),
    rows(
        {
            "ahead": ("0/20", "0/10", 16),
            "level": ("1/0", "1/0", 0),
            "across the halves": ("1/0", "0/FFFFFFFF", 1),
            "the other way": ("0/10", "0/20", -16),
            "unknown ahead": (None, "0/10", None),
            "unknown behind": ("0/10", None, None),
        }
    ),
)
def test_lsn_distance(ahead: str | None, behind: str | None, bytes_: int | None) -> None:
    assert lsn.distance(ahead, behind) == bytes_
