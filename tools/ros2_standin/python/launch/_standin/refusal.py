"""Refusal by name of everything of the launch API that the stand-in does not cover."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from importlib.machinery import ModuleSpec
from typing import Any

_PACKAGES = ("launch", "launch_ros")


class Unsupported(ImportError):
    """A launch file uses a part of the launch API that only a ROS 2 distribution provides."""

    def __init__(self, what: str, owner: str, supported: Iterable[str]) -> None:
        listed = ", ".join(sorted(supported))
        super().__init__(
            f"the ros2 stand-in does not support {what} of {owner}; supported: {listed}; "
            "install a ROS 2 distribution to use it"
        )


def refuse_missing_names(module: str, supported: Iterable[str]) -> Callable[[str], Any]:
    """A module-level `__getattr__` that refuses every name outside `supported`."""
    names = tuple(supported)

    def missing(name: str) -> Any:
        if name.startswith("_"):  # Python itself probes __path__, __wrapped__ and the like
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise Unsupported(name, module, names)

    return missing


def public_name(cls: type) -> str:
    """`launch.actions.Node`, not `launch.actions.node.Node`: what a launch file writes."""
    parts = cls.__module__.split(".")
    return ".".join([*(parts[:-1] if len(parts) > 2 else parts), cls.__name__])


def accepted_keywords(cls: type) -> list[str]:
    """The keyword arguments of a class: those of its bases too where it passes `**kwargs` on."""
    accepted: list[str] = []
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        accepted += [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return accepted


class StrictKeywords(type):
    """Metaclass that refuses unknown keyword arguments by name before the class sees them."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        accepted = accepted_keywords(cls)
        for name in kwargs:
            if name not in accepted:
                raise Unsupported(f"the argument '{name}'", public_name(cls), accepted)
        return super().__call__(*args, **kwargs)


class _SubmoduleRefuser:
    """Last finder in `sys.meta_path`: names the missing submodules of the launch packages."""

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        package, _, rest = fullname.partition(".")
        if package in _PACKAGES and rest:
            owner, _, name = fullname.rpartition(".")
            present = [m.rpartition(".")[2] for m in sys.modules if m.rpartition(".")[0] == owner]
            raise Unsupported(f"the module '{name}'", owner, [m for m in present if not m.startswith("_")])
        return None


def refuse_missing_submodules() -> None:
    """Install the refusal for `import launch.something_else`, once."""
    if _SubmoduleRefuser not in sys.meta_path:
        sys.meta_path.append(_SubmoduleRefuser)  # type: ignore[arg-type]
