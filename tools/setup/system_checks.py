"""What set-up needs from the machine itself: compilers, make, venv, libusb."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from setup_plan import SetupError

LIBUSB = "libusb-1.0.so.0"
# Debian's and Ubuntu's package names; other systems name theirs alike.
PACKAGES = {"C compiler": "gcc", "C++ compiler": "g++", "make": "make", "venv": "python3-venv"}


def find_compiler(variable: str, usual: tuple[str, ...], env: Mapping[str, str]) -> str | None:
    """Return the compiler that $CC or $CXX names, or else the first usual one on PATH; None when there is none."""
    if named := env.get(variable):
        if shutil.which(named.split()[0], path=env.get("PATH")) is None:
            raise SetupError(f"{variable}={named} names no program: correct or unset it")
        return named
    return next((name for name in usual if shutil.which(name, path=env.get("PATH"))), None)


def cxx_compiler(env: Mapping[str, str]) -> str | None:
    """Return the machine's C++ compiler, or None."""
    return find_compiler("CXX", ("c++", "g++", "clang++"), env)


def missing_tools(env: Mapping[str, str], cxx_required: bool) -> list[str]:
    """Return the names (keys of PACKAGES) of what set-up needs and the machine does not have."""
    found = {
        "C compiler": find_compiler("CC", ("cc", "gcc", "clang"), env) is not None,
        "C++ compiler": cxx_compiler(env) is not None or not cxx_required,
        "make": shutil.which("make", path=env.get("PATH")) is not None,
        # Debian and Ubuntu ship Python without the part that makes virtual environments.
        "venv": all(importlib.util.find_spec(name) is not None for name in ("ensurepip", "venv")),
    }
    return [name for name, there in found.items() if not there]


def require_tools(env: Mapping[str, str], cxx_required: bool) -> None:
    """Raise SetupError that names every missing tool at once, with the packages that bring them."""
    if missing := missing_tools(env, cxx_required):
        packages = " ".join(PACKAGES[name] for name in missing)
        raise SetupError(f"missing: {', '.join(missing)}. On Debian or Ubuntu: sudo apt-get install {packages}")


def provide_libusb(venv: Path) -> str:
    """Link PyPI's libusb into the virtual environment where the system has none; return what was done."""
    link = venv / "lib" / LIBUSB
    if link.exists():
        return "carried in the virtual environment"
    link.unlink(missing_ok=True)  # a broken link: the package moved
    try:
        ctypes.CDLL(LIBUSB)
        return "the system's"
    except OSError:
        pass  # the system has none: carry our own
    carried = sorted(venv.glob("lib/python3*/site-packages/libusb_package/libusb-1.0.so"))
    if not carried:
        raise SetupError(
            f"{LIBUSB} is neither on the system nor in libusb-package. "
            "On Debian or Ubuntu: sudo apt-get install libusb-1.0-0"
        )
    link.symlink_to(os.path.relpath(carried[0], link.parent))
    return "linked into the virtual environment from libusb-package"
