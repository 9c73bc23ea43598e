"""A cell of table I: the whole real stack on fake hardware, as a launch of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kprl.errors import KprlError
from kprl.files import read_json

START_TIMEOUT = 180.0  # [s] for all nodes to start and the launch to end, on a machine under load
EPISODE_TIMEOUT = 60.0  # [s] for an episode of 2.5 s with the reset and the homing before it
END_TIMEOUT = 30.0  # [s] for a launch that was interrupted to end its nodes
FIRST_SEED = 3_000_000  # of the fake world's scenes: what real_grasp.launch.py has by default
SEED_DISTANCE = 10_000  # from the scenes of one seed to those of the next, which count up


@dataclass(frozen=True)
class RealJob:
    """Episodes of one scenario on the scenes of one seed."""

    scenario: str
    scene: str
    object: str
    episodes: int
    seed: int
    bundle: Path | None = None  # None: that of models/ for scene and object
    needs: tuple[str, ...] = ()
    gpus: float = 0.0

    @property
    def name(self) -> str:
        """See `kprl.experiments.plan.Job`."""
        return f"real/{self.scenario}/seed{self.seed}"

    def run(self, root: Path) -> dict[str, Any]:
        """Launch it and read its result.json.

        Errors: `KprlError` if the launch fails, takes longer than its time-out or breaks off.
        """
        out = root / self.name / "launch"
        shutil.rmtree(out, ignore_errors=True)  # of an attempt that failed: its result.json is not this one's
        out.mkdir(parents=True)
        log = out / "launch.log"
        _launch(self.command(out), log, START_TIMEOUT + self.episodes * EPISODE_TIMEOUT)
        result = read_json(out / "result.json")
        if result["episodes"] != self.episodes or result["success_rate"] is None:
            raise KprlError(f"{out / 'result.json'} has {result['episodes']} of {self.episodes} episodes: see {log}")
        successes = result["outcomes"].get("success", 0)
        final = {"success_rate": result["success_rate"], "successes": successes, "episodes": self.episodes}
        points = [{"point": "final", **final, "outcomes": _counts(result["outcomes"])}]
        return {"points": points, "final": final, "bundle": result.get("bundle", "")}

    def command(self, out: Path) -> list[str]:
        """The launch, see docs/real.md."""
        bundle = [f"bundle:={self.bundle.absolute()}"] if self.bundle else []
        return [
            "ros2", "launch", "kprl_bringup", "real_grasp.launch.py", "use_fake_hardware:=true",
            f"episodes:={self.episodes}", f"scene:={self.scene}", f"object:={self.object}", f"output:={out}",
            f"seed:={FIRST_SEED + SEED_DISTANCE * self.seed}", *bundle,
        ]  # fmt: skip


def require_ros() -> None:
    """Raise a `KprlError` where `ros2` is not at hand."""
    if shutil.which("ros2") is None:
        raise KprlError("table1 runs the ROS 2 graph, and there is no ros2 here: run `source setup.bash` first")


def _launch(command: Sequence[str], log: Path, timeout: float) -> None:
    """Run a launch to its end; one that takes too long, or is interrupted with us, is ended with all its nodes."""
    with log.open("w") as file:
        # A session of its own: Ctrl-C reaches it once, from here.
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise KprlError(f"the launch did not end within {timeout:g} s: see {log}") from None
        finally:
            _end(process)
    if status != 0:
        raise KprlError(f"the launch ended with status {status}: see {log}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(END_TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(END_TIMEOUT)


def _counts(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(outcomes.items()))
