# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Install the views of master mirroring."""

from __future__ import annotations

from ..engines import choice
from ..engines.postgresql import extension
from ..host.module import (
    INSTANCE_OPTION,
    instance_of,
    only,
    run_module,
)
from ..host.run import Runner


def main(module):
    """Files first, then databases."""
    options, instance = module.params, instance_of(module.params["instance"])
    told = only(options, "extension", "files", "databases")
    if options["state"] == "absent":
        remove = choice.of(instance.engine, postgresql=extension.remove)
        return remove(instance, Runner(), not module.check_mode, **told, everywhere=options["everywhere"])
    install = choice.of(instance.engine, postgresql=extension.install)
    return install(instance, Runner(), not module.check_mode, **told)


def run():
    """Run the module, as its options say."""
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={
            "instance": INSTANCE_OPTION,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "extension": {"type": "str", "default": "hawq_mirroring"},
            "files": {"type": "dict", "required": True},
            "databases": {"type": "list", "elements": "str", "default": []},
            "everywhere": {"type": "bool", "default": False},
        },
    )
