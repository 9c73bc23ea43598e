"""The grids of the paper's figures and tables: what is compared with what, and what is shared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fake_experiment import FakeJob

from kprl.errors import KprlError
from kprl.experiments.experiment import Setting, choose
from kprl.experiments.figures import ABLATION, EXPERIMENTS, FIG7, FIG8, FIG10, TABLE1
from kprl.experiments.plan import Cell, make_plan
from kprl.experiments.presets import PRESETS


def plan(experiment, preset="paper", **more):
    return experiment.plan(Setting(PRESETS[preset], experiment.tasks, experiment.methods, workers=2, **more))


def jobs_of(found, kind):
    return [job for job in found.jobs if job.name.startswith(f"{kind}/")]


def test_fig7_compares_four_representations_on_three_tasks_over_ten_seeds():
    found = plan(FIG7)
    assert {(cell.task, cell.method, cell.seed) for cell in found.cells} == {
        (task, method, seed)
        for task in ("grasp-env1", "grasp-env2", "push-env1")
        for method in ("keypoints", "vae", "ae", "ae-ft")
        for seed in range(10)
    }
    assert len(found.data) == 3  # one set of images a task, whatever the method and the seed
    assert len(jobs_of(found, "representations")) == len(jobs_of(found, "policies")) == 120
    for policy in jobs_of(found, "policies"):
        seen = policy.representation
        assert policy.needs == (seen.name,) and seen.needs == (f"data/{policy.world.name}",)
        assert (seen.seed, seen.num_keypoints, seen.representation) == (policy.seed, 12, policy.label)
        assert policy.config == PRESETS["paper"].policy


def test_fig8_varies_the_number_of_keypoints_alone():
    found = plan(FIG8)
    counts = {cell.method: set() for cell in found.cells}
    by_name = {job.name: job for job in found.jobs}
    for cell in found.cells:
        counts[cell.method].add(by_name[cell.job].representation.num_keypoints)
    assert counts == {"K=8": {8}, "K=10": {10}, "K=12": {12}, "K=14": {14}}
    assert {job.representation.representation for job in jobs_of(found, "policies")} == {"keypoints"}
    assert len(found.data) == 1


def test_fig10_starts_both_objects_from_one_policy_of_the_cube_for_each_seed():
    found = plan(FIG10)
    assert len(found.cells) == 2 * 2 * 10
    assert [job.world.object for job in found.data] == ["cube"]
    assert len(jobs_of(found, "representations")) == 10
    policies = {job.name: job for job in jobs_of(found, "policies")}
    assert len(policies) == 5 * 10  # the cube's is no cell
    for cell in found.cells:
        job = policies[cell.job]
        assert job.world.object == cell.task
        if cell.method == "scratch":
            assert job.start_from == ""
        else:
            start = policies[job.start_from]
            assert (start.world.object, start.seed, start.start_from) == ("cube", job.seed, "")
            assert start.representation == job.representation  # else its inputs would mean something else
            assert job.start_from in job.needs


def test_table1_is_the_papers_three_scenarios_on_the_real_stack():
    found = plan(TABLE1, bundle=Path("bundles/mine"))
    commands = {}
    for job in found.jobs:
        command = job.command(Path("/out"))
        assert command[:4] == ["ros2", "launch", "kprl_bringup", "real_grasp.launch.py"]
        commands[job.scenario, job.seed] = dict(word.split(":=") for word in command[4:])
    scenes = {name: (values["scene"], values["object"]) for (name, _), values in commands.items()}
    assert scenes == {"GB": ("env1", "cube"), "GB-N": ("env2", "cube"), "GT": ("env1", "gear")}
    values = commands["GT", 1]
    assert values["use_fake_hardware"] == "true" and values["episodes"] == "10" and values["output"] == "/out"
    assert Path(values["bundle"]) == Path("bundles/mine").absolute()
    assert len({values["seed"] for (name, _), values in commands.items() if name == "GB"}) == 10


def test_ablation_cells_are_those_of_the_keypoints_command():
    found = plan(ABLATION, "cpu")
    assert {"preset", "no_background", "k8", "ae", "vae-truth"} <= set(ABLATION.methods)
    assert len(found.cells) == 3 * len(ABLATION.methods)
    by_name = {job.name: job for job in found.jobs}
    assert by_name["ablation/k8/seed2"].needs == ("data/grasp-env1-cube", "ablation/k8/seed1")


def test_an_experiment_that_is_cut_short_has_whole_comparisons():
    seeds = [cell.seed for cell in plan(FIG7).cells]
    assert seeds == sorted(seeds)


@pytest.mark.parametrize("name", list(EXPERIMENTS))
def test_every_preset_makes_a_plan_and_smoke_a_small_one(name):
    experiment = EXPERIMENTS[name]
    for preset in PRESETS.values():
        chosen, tasks, methods = choose(experiment, preset, (), (), None)
        cells = experiment.plan(Setting(chosen, tasks, methods, workers=1)).cells
        assert len(cells) == chosen.seeds * len(tasks) * len(methods)
        if preset is PRESETS["smoke"]:
            assert len(cells) <= 2
        else:
            assert (tasks, methods) == (experiment.tasks, experiment.methods)
    assert PRESETS["paper"].seeds == 10 and PRESETS["paper"].policy.steps == 200_000


def test_flags_override_the_preset_and_unknown_names_are_listed():
    chosen, tasks, methods = choose(FIG7, PRESETS["smoke"], ("push-env1", "grasp-env2"), ("ae",), 4)
    assert (chosen.seeds, tasks, methods) == (4, ("grasp-env2", "push-env1"), ("ae",))
    with pytest.raises(KprlError, match="unknown method of fig8 'K=9': choose one of K=10, K=12, K=14, K=8"):
        choose(FIG8, PRESETS["smoke"], (), ("K=9",), None)
    with pytest.raises(KprlError, match="unknown task of fig10 'gear'"):
        choose(FIG10, PRESETS["smoke"], ("gear",), (), None)
    with pytest.raises(KprlError, match="seeds is 0: expected at least 1"):
        choose(FIG7, PRESETS["smoke"], (), (), 0)


def test_jobs_of_one_name_are_one_job_and_come_after_their_needs():
    shared, cell = FakeJob("shared"), Cell("a", "x", 0, "one")
    one, two = FakeJob("one", needs=("shared",)), FakeJob("two", needs=("shared",))
    found = make_plan([], [(cell, [shared, one]), (replace(cell, job="two"), [shared, two])])
    assert [job.name for job in found.jobs] == ["shared", "one", "two"]
    with pytest.raises(ValueError, match="two different jobs are called shared"):
        make_plan([], [(cell, [shared, FakeJob("shared", value=1.0)])])
    with pytest.raises(ValueError, match="one needs shared, which no job before it makes"):
        make_plan([], [(cell, [one, shared])])
