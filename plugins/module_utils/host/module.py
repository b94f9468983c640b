# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module here shares: two options, a clean environment, one kind of error."""

from __future__ import annotations

import os
import traceback
import typing as t
from dataclasses import dataclass

from ansible.module_utils.basic import AnsibleModule

from .errors import MirroringError

#: whose servers can be kept; each is a package of module_utils/engines
ENGINES = ("postgresql",)
ENGINE_OPTION: dict[str, t.Any] = {"type": "str", "choices": list(ENGINES), "default": ENGINES[0]}


@dataclass(frozen=True)
class Instance:
    """Where one host keeps its database server."""

    user: str
    bin_directory: str
    data_directory: str
    config_directory: str
    service: str
    address: str
    port: int
    engine: str = ENGINES[0]

    def program(self, name: str) -> str:
        """Return the path of one of the engine's programs."""
        return os.path.join(self.bin_directory, name)


INSTANCE_OPTION: dict[str, t.Any] = {
    "type": "dict",
    "required": True,
    "options": {
        "user": {"type": "str", "required": True},
        "bin_directory": {"type": "path", "required": True},
        "data_directory": {"type": "path", "required": True},
        "config_directory": {"type": "path"},
        "service": {"type": "str", "required": True},
        "address": {"type": "str", "required": True},
        "port": {"type": "int", "default": 5432},
        "engine": ENGINE_OPTION,
    },
}
#: a server's own timelines
HISTORY_OPTION: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "required": True,
    "options": {"timeline": {"type": "int", "required": True}, "end": {"type": "str"}},
}


def instance_of(options: dict[str, t.Any]) -> Instance:
    """Return the module option ``instance`` as a value; the configuration lives in the data directory if not said."""
    options = dict(options)
    options["config_directory"] = options["config_directory"] or options["data_directory"]
    return Instance(**options)


def only(options: dict[str, t.Any], *names: str) -> dict[str, t.Any]:
    """Return these of a module's options."""
    return {name: options[name] for name in names}


def run_module(main: t.Callable[[AnsibleModule], dict[str, t.Any]], **spec: t.Any) -> None:
    """Build the module, call ``main`` and exit with what it returns, or fail with its MirroringError."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    module = AnsibleModule(**spec)
    try:
        result = main(module)
    except MirroringError as error:
        module.fail_json(msg=str(error), **error.details)
    except OSError as error:
        module.fail_json(msg=f"the operating system refuses: {error}", exception=traceback.format_exc())
    module.exit_json(**result)
