"""The training loop: one batch after another, exactly resumable."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format
from tqdm import tqdm

from kprl.data.dataset import Dataset
from kprl.errors import KprlError
from kprl.keypoints.adversarial import attack_images
from kprl.keypoints.augment import augment
from kprl.keypoints.checkpoint import load_checkpoint, save_checkpoint
from kprl.keypoints.compute import Compute
from kprl.keypoints.divergence import DivergenceWatch
from kprl.keypoints.encoder import KEYPOINT_VALUES
from kprl.keypoints.export import TorchEncoder
from kprl.keypoints.feed import LEAST_BATCH, Feed, split, step_noise
from kprl.keypoints.group import Group, require_same
from kprl.keypoints.log import TrainingLog
from kprl.keypoints.objective import Objective, total
from kprl.keypoints.overlay import overlay_grid
from kprl.keypoints.panel import reconstruction_panel
from kprl.keypoints.pictures import SHOWN
from kprl.keypoints.schedule import Schedule, learning_rate
from kprl.keypoints.split_norm import adversarial_statistics, split_batch_norms
from kprl.keypoints.targets import Batch, DepthScale
from kprl.keypoints.train_config import TrainConfig
from kprl.keypoints.validation import held_out_loss, held_out_metrics
from kprl.keypoints.work_folder import CHECKPOINT

LOG_PERIOD = 20  # steps between two rows of metrics.csv
VALIDATIONS = 10  # during the training, the last one at its end
VALIDATION_IMAGES = 500
CHECKPOINT_PERIOD = 60.0  # [s] of work that a kill costs at most
PANEL = 8
BAR_FORMAT = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}{postfix}]"


@dataclass
class Progress:
    """What a checkpoint holds besides tensors."""

    step: int = 0  # steps done
    seconds: float = 0.0  # spent on them
    watch: DivergenceWatch = field(default_factory=DivergenceWatch)


class Trainer:
    """One process's part of one training run; `work`: where its checkpoint and log lie."""

    def __init__(
        self, config: TrainConfig, objective: Objective, dataset: Dataset, work: Path, compute: Compute, group: Group
    ) -> None:
        self.config, self.preset, self.objective = config, config.hyperparameters(), objective
        self.work, self.compute, self.group = work, compute, group
        self.module = _module(objective)
        if self.preset.attack is not None:
            split_batch_norms(self.module)
        self.module.to(compute.device)
        convert_conv2d_weight_memory_format(self.module, compute.memory_format)
        self.optimiser = torch.optim.Adam(
            self.module.parameters(), lr=self.preset.learning_rate, amsgrad=self.preset.amsgrad, fused=True
        )
        self.scale = DepthScale.of(dataset.depth)
        training, held_out = split(len(dataset), config.seed)
        self.held_out = dataset.subset(held_out)
        self._validated = self.held_out.subset(np.arange(min(VALIDATION_IMAGES, len(held_out))))
        size, device = self.preset.batch_size, compute.device
        self._feed = Feed(dataset, training, self.scale, size, config.seed, device)
        everything = np.arange(len(self._validated))
        self._validation_feed = Feed(self._validated, everything, self.scale, size, config.seed, device)
        _require_shareable(self._feed.batch_size, group.size)
        self._saved_step = 0
        self.progress = self._resume()
        require_same(self.module.parameters(), group)
        self.schedule = Schedule(config, self.preset, len(training), self.progress.seconds)

    def run(self, show_progress: bool) -> None:
        """Train until the schedule is over.

        Errors: `KprlError` if the loss becomes non-finite or the training diverges; the checkpoint from before stays.
        """
        if self.group.first:
            self._lead(show_progress)
        else:
            share = self._share()
            while share < 1.0:
                self._step(share)
                share = self._share()
        require_same(self.module.parameters(), self.group)

    def _lead(self, show_progress: bool) -> None:
        """The first process's part: steps, and all that is written and said."""
        share, saved_at = self._share(), time.monotonic()
        begun = int(1000 * share)  # not 0 if resumed
        bar = tqdm(
            total=1000, initial=begun, desc="keypoints", unit="‰", disable=not show_progress, bar_format=BAR_FORMAT
        )
        with TrainingLog(self.work, self.objective.weights, self.progress.step) as log, bar:
            while share < 1.0:
                before, values = share, self._step(share)
                share = self._share()
                row = {"step": self.progress.step, "seconds": self.schedule.elapsed(), **values}
                validate = int(VALIDATIONS * share) > int(VALIDATIONS * before)
                if validate:
                    row |= {f"held_out/{name}": value for name, value in self._validate(log, last=share >= 1.0).items()}
                if validate or self.progress.step % LOG_PERIOD == 0:
                    log.row(row)
                due = validate or time.monotonic() - saved_at > CHECKPOINT_PERIOD
                if due and not self.progress.watch.worse:  # in doubt, the older checkpoint stays
                    self._save()
                    saved_at = time.monotonic()
                bar.set_postfix_str(f"step {self.progress.step}, loss {values['loss']:.3f}", refresh=False)
                bar.update(int(1000 * share) - bar.n)

    def _share(self) -> float:
        return self.group.of_first(self.schedule.progress(self.progress.step), self.compute.device)

    def _step(self, share: float) -> dict[str, float]:
        """One gradient step; returns the value of each loss."""
        step, device = self.progress.step, self.compute.device
        noise = step_noise(self.config.seed, step, self.group.rank, device)
        batch = self._feed.step(step, self.group.rank, self.group.size)
        if self.preset.augment:
            batch = replace(batch, images=augment(batch.images, noise))
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.preset, share)
        self.module.train()
        self.optimiser.zero_grad(set_to_none=True)
        with self.compute.autocast():
            terms = self.objective(batch, share, noise)
            loss = total(self.objective, terms)
        loss.backward()
        if self.preset.attack is not None:
            self._learn_from_attack(batch, share, noise)
        with torch.no_grad():
            self.group.average(p.grad for p in self.module.parameters() if p.grad is not None)
            # An attack looks at running statistics: they must be the same everywhere, and after a resume.
            self.group.average(b for b in self.module.buffers() if b.is_floating_point())
        self.optimiser.step()
        self.progress.step += 1
        named = {"loss": loss, **terms}
        values = dict(zip(named, torch.stack(list(named.values())).tolist(), strict=True))
        if not math.isfinite(values["loss"]):
            raise KprlError(self._stopped(f"the keypoint loss became {values['loss']} at step {self.progress.step}"))
        return values

    def _learn_from_attack(self, batch: Batch, share: float, noise: torch.Generator) -> None:
        """Add the gradient of the loss of adversarial images, which have their own statistics (AdvProp)."""
        attack = self.preset.attack
        assert attack is not None
        attacked = max(LEAST_BATCH, int(attack.share * len(batch.images)))
        batch = batch.first(attacked)

        def loss(images: Tensor) -> Tensor:
            with self.compute.autocast():
                return total(self.objective, self.objective(replace(batch, images=images), share, noise))

        with adversarial_statistics(self.module):
            self.module.eval()  # looking for the worst images must not move the statistics
            changed = attack_images(batch.images, loss, attack, noise)
            self.module.train()
            loss(changed).backward()

    def _validate(self, log: TrainingLog, last: bool) -> dict[str, float]:
        self.module.eval()
        step = self.progress.step
        loss = held_out_loss(self.objective, self._validation_feed)
        fault = self.progress.watch.verdict(loss, step, last)
        if fault:
            raise KprlError(self._stopped(fault))
        encoder = TorchEncoder(self.objective.encoder, self.config.num_keypoints)
        if self.objective.values == KEYPOINT_VALUES:
            grey = self._validated.grey[:SHOWN]
            log.image("overlay", overlay_grid(grey, encoder.encode(grey)), step)
        shown = next(iter(self._validation_feed.all())).first(PANEL)
        with torch.no_grad():
            log.image("reconstruction", reconstruction_panel(shown, self.objective.reconstruct(shown.images)), step)
        return {"loss": loss, **held_out_metrics(encoder, self.objective.values, self._validated)}

    def _resume(self) -> Progress:
        path = self.work / CHECKPOINT
        if not path.exists():
            return Progress()
        saved = load_checkpoint(path, self.module, self.optimiser)
        self._saved_step = saved["step"]
        return Progress(saved["step"], saved["seconds"], DivergenceWatch(**saved["watch"]))

    def _save(self) -> None:
        self.progress.seconds = self.schedule.elapsed()
        save_checkpoint(self.work / CHECKPOINT, self.module, self.optimiser, asdict(self.progress))
        self._saved_step = self.progress.step

    def _stopped(self, why: str) -> str:
        if not (self.work / CHECKPOINT).exists():
            return f"{why}: nothing was saved; try another seed, and look at the data with 'kprl data preview'"
        return (
            f"{why}: the checkpoint of step {self._saved_step} stays in {self.work}; "
            "delete that folder and train with another seed, or with another preset"
        )


def _module(objective: Objective) -> nn.Module:
    assert isinstance(objective, nn.Module)
    return objective


def _require_shareable(batch_size: int, processes: int) -> None:
    if batch_size % processes or batch_size // processes < LEAST_BATCH:
        fit = [n for n in range(1, batch_size // LEAST_BATCH + 1) if batch_size % n == 0]
        raise KprlError(f"a batch of {batch_size} cannot be shared by {processes} processes: start one of {fit}")
