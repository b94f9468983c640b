# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils.values import forms


class FilterModule:
    """Filters of the collection's roles."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return them by name."""
        return {"given_list": forms.as_list, "given_dict": forms.as_dict}
