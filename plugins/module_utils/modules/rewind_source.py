# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Let another host read the master's files and make a backup of them, or end that."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import rewind_source
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)


def main(module):
    """Let it in, or not any more."""
    options, act = module.params, not module.check_mode
    instance = instance_of(options["instance"])
    if options["state"] == "absent":
        end = choice.of(instance.engine, postgresql=rewind_source.absent)
        return end(instance, act, role=options["role"], by=options["run"])
    let_in = choice.of(instance.engine, postgresql=rewind_source.present)
    return let_in(instance, act, **only(options, "role", "passfile", "password_of", "hba_lines"), by=options["run"])


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "role": {"type": "str", "required": True},
            "passfile": {"type": "path", "required": True, "no_log": False},
            "password_of": {"type": "str", "default": "hawq_mirroring", "no_log": False},
            "run": {"type": "str"},
            "hba_lines": {"type": "list", "elements": "str", "default": []},
        },
    )
