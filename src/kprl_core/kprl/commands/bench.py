"""`kprl bench`: measurements against named peers and limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from kprl.commands.shown import require_at_least
from kprl.errors import KprlError

Peer = Literal["sb3", "sbx"]
LEAST_TRAINING = 400  # steps: eight episodes, so that the second half has some


def env(episodes: int = 40, workers: tuple[int, ...] = (1, 2, 4), json: Path | None = None) -> None:
    """Measure what an environment step costs, on one core, and how worlds in several processes scale.

    Args:
        episodes: Episodes of 50 steps of the main measurement; the others take a quarter.
        workers: Numbers of worlds to run at once, on all cores.
        json: File for the result.
    """
    from kprl.benchmarks.env import bench_env
    from kprl.files import write_json

    require_at_least("episodes", episodes, 1)
    for count in workers:
        require_at_least("workers", count, 1)
    result = bench_env(episodes, workers)
    parts = ", ".join(f"{name} {value:.2f}" for name, value in result["breakdown_ms"].items())
    print(f"one step with picture, depth and classes: {result['step_ms']:.2f} ms, {result['steps_per_s']:.0f} a second")
    print(f"  milliseconds: {parts}")
    print(f"  {result['ratio_vs_limit']:.2f} times the physics and the bare renderer ({result['limit_ms']:.2f} ms)")
    print(f"  {result['ratio_vs_panda_gym']:.1f} times as fast as panda-gym's push ({result['panda_gym_ms']:.1f} ms)")
    for name, value in result["step_ms_by_scene_and_object"].items():
        print(f"  {name}: {value:.2f} ms")
    for count, value in result["steps_per_s_by_workers"].items():
        print(f"  {count} worlds with keypoints on {result['cores']} cores: {value:.0f} steps a second")
    if json:
        write_json(json, result)


def encoder(rounds: int = 20, frames: int = 10_000, model: Path | None = None, json: Path | None = None) -> None:
    """Measure what one image costs on a CPU: the deployed encoder against the same network in eager torch.

    Args:
        rounds: Alternating rounds of 20 images each.
        frames: Single images over which memory must not grow.
        model: A keypoint model folder to measure, instead of the networks of the presets cpu and paper.
        json: File for the result.
    """
    from kprl.benchmarks.encoder import bench_encoder
    from kprl.files import write_json

    require_at_least("rounds", rounds, 1)
    require_at_least("frames", frames, 1)
    result = bench_encoder(rounds, frames, model)
    for name, m in result["by_network"].items():
        print(
            f"{name}: {m['deployed_ms']:.2f} ms an image (99 % within {m['deployed_p99_ms']:.2f}), "
            f"{m['speedup_vs_eager']:.1f} times as fast as eager torch ({m['eager_ms']:.2f} ms)"
        )
        print(
            f"  differs from torch by at most {m['largest_difference']:.1e}; allocates "
            f"{m['allocated_bytes_per_frame']} bytes a frame, grows by "
            f"{m['resident_growth_bytes'] / 1024:.0f} KiB over {result['frames']}; "
            f"loaded and warm in {m['load_and_warm_up_ms']:.0f} ms, "
            f"then {m['first_frame_ms']:.2f} ms for the first frame"
        )
    if json:
        write_json(json, result)


def sac(rounds: int = 10, peers: tuple[Peer, ...] = ("sb3", "sbx"), json: Path | None = None) -> None:
    """Measure gradient updates a second, hindsight sampling included, against stable-baselines3 and sbx.

    Args:
        rounds: Alternating rounds of 100 updates each.
        peers: Whom to measure against. sbx needs `pip install sbx-rl`, which brings JAX.
        json: File for the result.
    """
    from kprl.benchmarks.sac import bench_sac
    from kprl.files import write_json

    require_at_least("rounds", rounds, 1)
    result = bench_sac(rounds, peers)
    print(f"{result['updates_per_s']:.0f} updates a second at batch {result['batch']}, hidden {result['hidden']}")
    for peer in peers:
        print(
            f"  {result[f'ratio_vs_{peer}']:.1f} times as fast as {peer}"
            f" ({result['updates_per_s_by_library'][peer]:.0f} updates a second)"
        )
    for name in ("keypoints", "batch", "experience", "algorithm", "critic"):
        print(f"  by {name}: " + ", ".join(f"{key}: {value:.0f}" for key, value in result[f"by_{name}"].items()))
    if json:
        write_json(json, result)


def graph(frames: int = 2000, training_steps: int = 3000, bundle: Path | None = None, json: Path | None = None) -> None:
    """Measure the time from an image's stamp to its command in the real-time graph, and what lockstep costs a step.

    Camera images of 640 x 480 at 30 Hz, keypoint node, policy node, a simulated robot in real time and a viewer of the
    overlay, on two cores; before and after it a bare echo of the same images between two processes.

    Args:
        frames: Images to measure.
        training_steps: Steps of the trainings over topics and in process; 0: the environments' steps alone.
        bundle: Bundle for the task grasp; if not given, the one that ships.
        json: File for the result.
    """
    from kprl.files import write_json

    require_at_least("frames", frames, 1)
    if training_steps and training_steps < LEAST_TRAINING:
        raise KprlError(f"training_steps is {training_steps}: expected 0, or at least {LEAST_TRAINING}")
    result = _graph_benchmark()(frames, training_steps, bundle)

    def times(name: str) -> str:
        p50, p99, most = (result[f"{name}_ms_{part}"] for part in ("p50", "p99", "max"))
        return f"{p50:.1f} ms, 99 % within {p99:.1f}, at most {most:.1f}"

    print(f"image to command: {times('latency')}; half a camera period is {result['camera_period_ms'] / 2:.1f} ms")
    print("  of it: " + ", ".join(f"{name} {value:.1f}" for name, value in result["stages_ms_p50"].items()))
    print(f"  bare echo of the image: {times('bare_echo')}")
    print(
        f"  {result['frames_answered']} of {result['frames']} images answered, {result['frames_queued']} behind a "
        f"newer one, {result['overlays']} overlays, load {result['load_average']:.1f} on {result['cores']} cores"
    )
    for name, value in result["step_ms"].items():
        print(f"  a step, {name.replace('_', ' ')}: {value:.2f} ms")
    of = {"training": "a training", "env": "the environment"}[result["lockstep_ratio_of"]]
    print(f"  a step of {of} takes {result['lockstep_ratio']:.2f} times as long over topics as in process")
    if json:
        write_json(json, result)


def _graph_benchmark() -> Callable[..., dict[str, Any]]:
    """It is made of ROS nodes: looked up only when asked for."""
    try:
        from kprl_policy.graph_benchmark.graph import bench_graph
    except ImportError as error:
        raise KprlError(f"bench graph needs the ROS 2 workspace ({error}): run `source setup.bash` first") from None
    return bench_graph


def pipeline(
    out: Path,
    task: str = "grasp",
    scene: str = "env1",
    object: str = "cube",
    seed: int = 0,
    machine: Literal["cpu", "gpu"] = "cpu",
    images: int | None = None,
    keypoint_minutes: float | None = None,
    workers: int | None = None,
    steps: int = 200_000,
    policy_minutes: float = 40.0,
    final_episodes: int = 200,
    json: Path | None = None,
) -> None:
    """Measure the time from nothing to 95 % success: images, keypoints and policy, in one process and its helpers.

    Args:
        out: Empty or new folder for all that is made.
        task: What to learn.
        scene: Scene of the task.
        object: Object to handle.
        seed: Seed of everything random.
        machine: cpu: two cores. gpu: a GPU and 16 cores.
        images: Images for the keypoints, instead of the machine's.
        keypoint_minutes: How long the keypoints are trained, instead of the machine's.
        workers: Worlds to act in at once, and as many to evaluate in, instead of the machine's.
        steps: Environment steps of the policy's training, at most.
        policy_minutes: Minutes of the policy's training, at most.
        final_episodes: Episodes of the final evaluation, from starts on which nothing was chosen.
        json: File for the result.
    """
    from kprl.benchmarks.pipeline import MACHINES, PipelineConfig, bench_pipeline
    from kprl.files import write_json

    require_at_least("final_episodes", final_episodes, 1)
    own = {"images": images, "keypoint_minutes": keypoint_minutes, "workers": workers}
    settings = MACHINES[machine] | {name: value for name, value in own.items() if value is not None}
    result = bench_pipeline(
        PipelineConfig(
            out, task, scene, object, seed, steps=steps, policy_minutes=policy_minutes, final_episodes=final_episodes,
            **settings,
        )
    )  # fmt: skip
    reached = result["minutes_to_95"]
    print(f"95 % of {task} {scene} " + (f"after {reached:.1f} minutes" if reached else "not reached"))
    print(f"  {result['success_rate']:.1%} of {result['episodes']} fresh episodes after {result['env_steps']} steps")
    print("  minutes: " + ", ".join(f"{name} {value:.1f}" for name, value in result["minutes_by_stage"].items()))
    if json:
        write_json(json, result)


def learning(
    env_id: str,
    out: Path,
    steps: int = 20_000,
    seeds: tuple[int, ...] = (0, 1, 2),
    evaluate_every: int = 2_000,
    evaluation_episodes: int = 50,
    peers: tuple[Literal["sb3"], ...] = ("sb3",),
) -> None:
    """Compare how fast our SAC + HER and stable-baselines3's learn somebody else's environment, over seeds.

    The same networks, batch, discount, learning rate and updates a step. Interrupted, the same command goes on after
    the trainings that are done.

    Args:
        env_id: Any Gymnasium environment with a vector Box as action, as PandaReach-v3.
        out: Folder for run folders, curves.csv, curves.png and learning.json.
        steps: Environment steps of each training.
        seeds: Seeds; each is a training of everybody.
        evaluate_every: Environment steps between evaluations.
        evaluation_episodes: Greedy episodes in each evaluation.
        peers: Whom to compare with.
    """
    from kprl.benchmarks.learning import LearningConfig, bench_learning

    result = bench_learning(LearningConfig(env_id, out, steps, seeds, evaluate_every, evaluation_episodes, peers))
    for name, solved in result["all_solved_at"].items():
        said = ", ".join("never" if step is None else f"{step:.0f}" for step in solved.values())
        print(
            f"{name}: all of {evaluation_episodes} episodes solved at step {said}; at the end success "
            f"{result['final_success'][name]:.0%}, return {result['final_return'][name]:.2f}, "
            f"after {result['minutes'][name]:.1f} minutes"
        )
    print(f"wrote {out / 'curves.png'}")
