"""What a message's bytes mean, as it is written beside them into a recording: any reader decodes them without kprl."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

from kprl.errors import KprlError

NESTED = re.compile(r"([a-z][a-z0-9_]*)/([A-Z]\w*)")  # in the types of fields, as in sequence<geometry_msgs/Point>
RULE = "=" * 80  # between two definitions, as rosbag2 writes them


def type_name(kind: type) -> str:
    """The name of a message's type, as in std_msgs/msg/Header."""
    return f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}"


@cache
def definition(name: str) -> tuple[str, str]:
    """The text of a type with all that it is made of, and its hash (RIHS01), from the files that it was built from.

    Errors: `KprlError` where those files are missing.
    """
    package, _, message = name.split("/")
    parts = [(package, message)]
    for part in parts:  # grows while it is walked
        parts += [inner for inner in _nested(*part) if inner not in parts]
    first, *others = [_file(*part, "msg").rstrip() for part in parts]
    text = first + "".join(
        f"\n{RULE}\nMSG: {'/'.join(part)}\n{inner}" for part, inner in zip(parts[1:], others, strict=True)
    )
    hashes = json.loads(_file(package, message, "json"))["type_hashes"]
    return text + "\n", next(entry["hash_string"] for entry in hashes if entry["type_name"] == name)


def _nested(package: str, message: str) -> Iterator[tuple[str, str]]:
    kind: Any = getattr(import_module(f"{package}.msg"), message)
    for field in kind.get_fields_and_field_types().values():
        found = NESTED.search(field)
        if found:
            yield found[1], found[2]


def _file(package: str, message: str, ending: str) -> str:
    try:
        return (Path(get_package_share_directory(package)) / "msg" / f"{message}.{ending}").read_text()
    except (PackageNotFoundError, OSError) as error:
        raise KprlError(
            f"the definition of {package}/msg/{message} is missing, so nobody could read it in a recording: {error}; "
            "source setup.bash, or build the package again with make setup"
        ) from None
