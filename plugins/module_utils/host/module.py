# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module here shares: two options, a clean environment, one kind of error."""

from __future__ import annotations

import os
import pwd
import traceback
import typing as t
from dataclasses import dataclass

from ansible.module_utils.basic import AnsibleModule

from ..values import text
from . import separation, services
from .errors import MirroringError
from .run import Runner

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


def account_of(options: dict[str, t.Any]) -> str:
    """Return the server's user as the module option ``instance`` names it."""
    return str(options["instance"]["user"])


def run_module(
    main: t.Callable[[AnsibleModule], dict[str, t.Any]],
    account: t.Callable[[dict[str, t.Any]], str] | None = account_of,
    named: t.Callable[[dict[str, t.Any]], t.Iterable[str]] = lambda _options: (),
    seconds: float = separation.WORK_SECONDS,
    **spec: t.Any,
) -> None:
    """Build the module, let a process of the server's user call ``main``, and exit with what it returns, or fail.

    ``account`` says who that user is from the module's options; None for what is root's alone. ``named`` returns the
    paths that the operator has named beside those of the instance. The work is ended after ``seconds`` and what the
    option ``timeout`` allows: the user can hold up its own processes.
    """
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    module = AnsibleModule(**spec)
    warnings: list[str] = []
    user = account(module.params) if account else ""
    separation.offer(services.offered(scope_of(user, module.params, named(module.params)), Runner()))
    try:
        if account is None:
            result = main(module)
        else:
            # of what has a time-out there are up to three parts
            seconds += 3 * int(module.params.get("timeout") or 0)
            result, warnings = separation.run_as(acting(user), lambda: _worked(main, module), seconds)
    except MirroringError as error:
        module.fail_json(msg=text.named(str(error)), **_harmless(text.shown(error.details)))
    except OSError as error:
        told = text.shown(traceback.format_exc())
        module.fail_json(msg=f"the operating system refuses: {text.named(str(error))}", exception=told)
    except separation.BrokenError as error:
        told = text.shown(str(error)).strip()
        last = told.splitlines()[-1] if told else "it does not say why"
        module.fail_json(msg=f"the module has failed: {last}", exception=told)
    for warning in warnings:
        module.warn(text.named(warning))
    module.exit_json(**_harmless(text.shown(result)))


def _harmless(result: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a result without the keys that Ansible obeys: what the user's process says is data, and sets no fact."""
    obeyed = ("ansible_", "_ansible", "add_", "invocation", "exception")
    return {key: value for key, value in result.items() if not str(key).startswith(obeyed)}


def _worked(main: t.Callable[[AnsibleModule], dict[str, t.Any]], module: AnsibleModule) -> list[t.Any]:
    """Return what the module returns, and its warnings, which root gives to Ansible."""
    warnings: list[str] = []
    module.warn = warnings.append
    return [main(module), warnings]


def acting(user: str) -> str:
    """Return who acts for the server's user: nobody where it does not exist yet."""
    try:
        return pwd.getpwnam(user).pw_name
    except KeyError:
        return separation.NOBODY


def scope_of(user: str, options: dict[str, t.Any], named: t.Iterable[str]) -> services.Scope:
    """Return whom and what root's services are about."""
    instance = options.get("instance") or {}
    data = str(instance.get("data_directory") or "")
    places = [data, str(instance.get("config_directory") or ""), *named]
    ours = options.get("virtual_ip") or options
    address = (str(ours.get("address") or ""), str(ours.get("interface") or ""))
    unit = str(instance.get("service") or "")
    texts = options.get("files") if isinstance(options.get("files"), dict) else {}
    named_places = tuple(each for each in places if each)
    return services.Scope(user, unit, data, named_places, address, tuple(map(str, (texts or {}).values())))
