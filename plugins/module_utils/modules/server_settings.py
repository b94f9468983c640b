# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Change settings of the running server."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import settings
from ..host.module import INSTANCE_OPTION, instance_of, run_module


def main(module):
    """Compare, write what differs, reload."""
    instance = instance_of(module.params["instance"])
    change = choice.of(instance.engine, postgresql=settings.change)
    return change(instance, not module.check_mode, module.params["settings"])


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={"instance": INSTANCE_OPTION, "settings": {"type": "dict", "required": True}},
    )
