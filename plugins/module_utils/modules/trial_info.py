# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Try whether a copy of the master would start on another host."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import dry_start, start_files
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Read, or try what was read."""
    instance = instance_of(module.params["instance"])
    if module.params["source"] is None:
        read = choice.of(instance.engine, postgresql=start_files.read)
        return read(instance)
    look = choice.of(instance.engine, postgresql=dry_start.look)
    return look(instance, Runner(), **only(module.params, "source", "settings"))


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        seconds=120,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "source": {"type": "dict"},
            "settings": {"type": "dict", "default": {}},
        },
    )
