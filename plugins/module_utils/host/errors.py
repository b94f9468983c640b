# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one error that modules know."""

from __future__ import annotations

import typing as t


class MirroringError(Exception):
    """Something that the operator must know, as one sentence; ``details`` become return values."""

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.details = details
