"""Updates as machine code: torch's compiler turns one whole gradient step into a few loops over memory.

At 64x64 and a batch of 512 most of an update is the way to and from memory between small operations.
"""

from __future__ import annotations

import os
import shutil
import types
from collections.abc import Callable
from typing import Any

import torch

COMPILERS = ("g++", "clang++", "c++")
WORTH_COMPILING = {"cpu": 20_000, "cuda": 130_000}
"""Updates from which on a run gains more than the minute or so that compiling takes: on a CPU they then take a third of
the time, as a CUDA graph two thirds."""


def compiler() -> str | None:
    """The C++ compiler to call: the one that $CXX names, or the first of COMPILERS; None where there is none."""
    for name in (os.environ.get("CXX", ""), *COMPILERS):
        if name and shutil.which(name):
            return name
    return None


def compiled(method: Callable[..., Any]) -> Callable[..., Any]:
    """A bound method compiled at its first call; what a machine has compiled once, it finds again in seconds."""
    from torch._inductor import config

    # In this process: the learner's may be a daemon, and one graph gives several compilers nothing to do at once.
    config.compile_threads = 1
    config.cpp.cxx = (None, compiler() or COMPILERS[0])  # None: the one that a conda environment brings
    # Torch keeps what it has compiled with the code: a copy of the code for each object, or one object's shapes and
    # settings would be looked for among all others', and from the ninth object on refused.
    assert isinstance(method, types.MethodType)
    plain = method.__func__
    own = types.FunctionType(plain.__code__.replace(), plain.__globals__, plain.__name__, None, plain.__closure__)
    return torch.compile(types.MethodType(own, method.__self__), fullgraph=True, dynamic=False)
