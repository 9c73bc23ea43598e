"""An experiment whose jobs do nothing but what a test asks of them; workers of Ray import it.

As a script: `fake_experiment.py OUT BEHAVIOUR` runs it on a Ray of its own, as `kprl experiment` would.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kprl.errors import KprlError
from kprl.experiments.experiment import CellJobs, Experiment, Metric, Setting
from kprl.experiments.plan import Cell
from kprl.experiments.presets import PRESETS
from kprl.experiments.run import Run


@dataclass(frozen=True)
class FakeJob:
    """Counts its attempts in a file; its result is `value` at step 0 and `2 value` at step 100."""

    name: str
    value: float = 0.0
    behaviour: str = "works"  # or: refuses, breaks, dies, hangs, recovers, is_lost_once
    needs: tuple[str, ...] = ()
    gpus: float = 0.0

    def run(self, root: Path) -> dict[str, Any]:
        attempts = self.attempts(root) + 1
        (root / self.name / "attempts").write_text(str(attempts))
        (root / self.name / "process").write_text(str(os.getpid()))
        print(f"attempt {attempts} of {self.name}")
        if self.behaviour == "refuses":
            raise KprlError("this job refuses: give it up")
        if self.behaviour == "breaks":
            raise ZeroDivisionError("a fault\nof the program")
        if self.behaviour == "dies" or (self.behaviour == "is_lost_once" and attempts == 1):
            os._exit(9)
        if self.behaviour == "hangs":
            time.sleep(600)
        if self.behaviour == "recovers" and attempts < 3:
            raise KprlError(f"attempt {attempts} failed")
        points = [
            {"point": "on the way", "step": 0, "success_rate": self.value},
            {"point": "on the way", "step": 100, "success_rate": 2 * self.value},
            {"point": "final", "step": 100, "success_rate": 2 * self.value},
        ]
        return {"points": points, "final": {"success_rate": 2 * self.value}, "minutes": 0.5}

    def attempts(self, root: Path) -> int:
        file = root / self.name / "attempts"
        return int(file.read_text()) if file.exists() else 0


def fake_experiment(behaviours: dict[str, str] | None = None) -> Experiment:
    """Tasks a and b, methods x and y; `behaviours`: of jobs by name, `x-0` for method x, seed 0 of either task."""

    def make(setting: Setting, data: dict[str, Any]) -> Iterator[CellJobs]:
        base = FakeJob("base", behaviour=(behaviours or {}).get("base", "works"))
        for seed in range(setting.preset.seeds):
            for task in setting.tasks:
                for method in setting.methods:
                    value = {"x": 0.1, "y": 0.3}[method] + 0.1 * seed
                    behaviour = (behaviours or {}).get(f"{method}-{seed}", "works")
                    job = FakeJob(f"cells/{task}/{method}/seed{seed}", value, behaviour, (base.name,))
                    yield Cell(task, method, seed, job.name), [base, job]

    return Experiment(
        "fake", "A fake figure", ("a", "b"), ("x", "y"), (Metric("success_rate", "success", "%"),),
        ("point", "step", "success_rate"), True, ("This is a note.",), make, lambda setting: {},
    )  # fmt: skip


def fake_run(out: Path, behaviours: dict[str, str] | None = None, serial: bool = True, **changes: Any) -> Run:
    tasks, methods = changes.pop("tasks", ("a", "b")), changes.pop("methods", ("x", "y"))
    preset = replace(PRESETS["smoke"], **{"seeds": 2, **changes})
    setting = Setting(preset, tasks, methods, workers=2)
    return Run(fake_experiment(behaviours), setting, "smoke", out, "kprl experiment fake --out there", serial)


if __name__ == "__main__":
    import fake_experiment as imported  # by the name that workers know it by

    from kprl.experiments.run import run_experiment

    try:
        run_experiment(imported.fake_run(Path(sys.argv[1]), {"y-0": sys.argv[2]}, serial=False))
    except KeyboardInterrupt:
        sys.exit(130)
