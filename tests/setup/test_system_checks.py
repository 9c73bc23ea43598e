"""What set-up finds missing on a machine, and libusb."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

import system_checks
from setup_plan import SetupError


def machine(folder: Path, *programs: str) -> dict[str, str]:
    """Return the environment of a machine that has just these programs."""
    for name in programs:
        program = folder / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return {"PATH": str(folder)}


def test_a_c_compiler_and_make_are_enough_with_wheels(tmp_path: Path) -> None:
    system_checks.require_tools(machine(tmp_path, "gcc", "make"), cxx_required=False)


def test_everything_missing_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="C compiler, C\\+\\+ compiler, make.*apt-get install gcc g\\+\\+ make"):
        system_checks.require_tools(machine(tmp_path), cxx_required=True)


def test_a_named_compiler_must_exist(tmp_path: Path) -> None:
    env = machine(tmp_path, "gcc", "make", "g++") | {"CXX": "no-such-compiler -O2"}
    with pytest.raises(SetupError, match="CXX=no-such-compiler -O2"):
        system_checks.cxx_compiler(env)


def venv_with_libusb(folder: Path) -> Path:
    carried = folder / "lib" / "python3.11" / "site-packages" / "libusb_package" / "libusb-1.0.so"
    carried.parent.mkdir(parents=True)
    carried.write_bytes(b"library")
    return folder


def test_libusb_is_carried_where_the_system_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", absent)
    venv = venv_with_libusb(tmp_path)
    assert "linked" in system_checks.provide_libusb(venv)
    assert (venv / "lib" / "libusb-1.0.so.0").read_bytes() == b"library"
    assert "carried" in system_checks.provide_libusb(venv)


def test_the_systems_libusb_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: name)
    venv = venv_with_libusb(tmp_path)
    assert system_checks.provide_libusb(venv) == "the system's"
    assert not (venv / "lib" / "libusb-1.0.so.0").exists()
