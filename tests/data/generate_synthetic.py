"""The command line `kprl`, whose images come from the synthetic scene: for tests that kill it."""

from __future__ import annotations

from functools import partial

from synthetic_scene import make_slow_world

import kprl.data.generate
from kprl.cli import main

if __name__ == "__main__":
    kprl.data.generate.generate = partial(kprl.data.generate.generate, make_world=make_slow_world)
    main()
