# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    """The option ``history`` of the modules that read WAL of several timelines."""

    DOCUMENTATION = r"""
options:
  history:
    description: The server's own timelines, oldest first.
    type: list
    elements: dict
    required: true
    suboptions:
      timeline: {description: Number., type: int, required: true}
      end: {description: LSN at which the next one begins. The last has none., type: str}
"""
