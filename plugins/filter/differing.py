# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.values import phases


class FilterModule:
    """The filter that the playbooks compare a host with."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return it by name."""
        return {"differing": phases.differing}
