# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

from ansible.plugins.action.normal import ActionModule as Normal
from ansible_collections.hawq.mirroring.plugins.plugin_utils import _guard, _payload


class ActionModule(_payload.Sharing, Normal):
    """What Ansible does for a module without an action plugin, by one payload: meta/runtime.yml names the modules."""

    @_guard.sentence("the module could not be sent")
    def run(self, tmp=None, task_vars=None):
        """Send it, run it and return what it says."""
        return super().run(tmp, task_vars)
