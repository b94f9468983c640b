# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which run of a playbook has made a mark or given a permission: a run undoes only its own. Pure."""

from __future__ import annotations

import re

_RUN = re.compile(r"[a-z_]+-\d{8}T\d{6}Z-[0-9a-f]{4}")


def of(workflow: str, process: str) -> str:
    """Return the identity of a run: the playbook it began with, and its process (when that began, and four digits)."""
    return f"{workflow}-{process}"


def is_one(text: object) -> bool:
    """Whether a text is the identity of a run and nothing more."""
    return isinstance(text, str) and _RUN.fullmatch(text) is not None


def workflow(run: str | None) -> str | None:
    """Return the playbook that a run began with; None where nobody knows the run."""
    return run.partition("-")[0] if run else None
