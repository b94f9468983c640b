# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    """What can be expected of every module; one that differs says so itself."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Says what it would do.
    support: full
  diff_mode:
    description: Shows what differs before and after.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
"""

    # of modules that only look, or run on the controller alone
    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Runs the same with and without check mode.
    support: full
  diff_mode:
    description: Has nothing to show.
    support: none
  idempotent:
    description: Changes nothing.
    support: full
"""
