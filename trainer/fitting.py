"""The training itself: steps, evaluations and checkpoints until schedule, clock or a person ends it."""

import math
from collections import deque
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from typing import NamedTuple, Protocol

import keras
import numpy as np

from detector.errors import StudioError, TrainingError
from trainer.checkpoints import state_arrays
from trainer.clock import Clock
from trainer.loading import Batch, Loader
from trainer.loss import Losses, Targets
from trainer.recipe import Recipe
from trainer.run_folder import RunFolder
from trainer.step import Rates, State, Step, as_tensor, put_into

# Steps whose losses are not looked at yet: a GPU has work while Python writes rows.
_IN_FLIGHT = 2
_STEPS_TO_JUDGE = 5  # the first takes long: the network is compiled
_SECONDS_BETWEEN_CHECKPOINTS = 120.0
# With a time budget, evaluations take at most this share of it, however slow they are.
_SHARE_FOR_EVALUATIONS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a training stands, for whoever shows it.

    step            the last one made, counted from 0
    progress        0..1
    pictures_per_s  since the training began or went on, evaluations left out
    seconds_left    None until it can be told
    best            the best validation mAP so far
    """

    step: int
    epoch: float
    progress: float
    rate: float
    loss: float
    pictures_per_s: float
    seconds_left: float | None
    best: float | None


class Attendant(Protocol):
    """Who is told how a training goes, and may end it."""

    def say(self, sentence: str) -> None: ...

    def stepped(self, standing: Standing) -> None: ...

    def evaluated(self, epoch: float, figures: Mapping[str, float], is_best: bool) -> None: ...

    def wants_to_stop(self) -> bool:
        """Asked between steps."""
        ...


class Measure(Protocol):
    """The figures of the network as it is now: at least `voc07_map` and `voc_area_map`."""

    def __call__(self, step: int) -> Mapping[str, float]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """When a training is over: after so many steps, or so many seconds."""

    steps: int | None = None
    seconds: float | None = None

    def progress(self, step: int, seconds: float, reserved: float) -> float:
        """0..1; `reserved` seconds of a time budget are kept for the last evaluation."""
        if self.seconds is not None:
            return min(1.0, seconds / max(self.seconds - reserved, 1e-9))
        assert self.steps is not None
        return min(1.0, step / self.steps)


@dataclass(slots=True)
class Position:
    """What must be known, besides the state of the step, to go on exactly.

    step            steps made
    seconds         of training and evaluating, over all sittings
    evaluations     points of the training at which an evaluation was due, so far
    since_best      evaluations since the best one
    plain_from      batch from which samples are not joined any more
    evaluating      seconds of all evaluations
    reserved        seconds of the last evaluation
    """

    step: int = 0
    seconds: float = 0.0
    evaluations: int = 0
    best: float | None = None
    since_best: int = 0
    plain_from: int | None = None
    evaluating: float = 0.0
    reserved: float = 0.0


class _Made(NamedTuple):
    """A step that was made and not looked at yet."""

    batch: Batch
    losses: Losses
    rate: float
    progress: float


@dataclass(slots=True, kw_only=True)
class Fitting:
    """One training; `run` does it. `state` and `position` are where it stands."""

    network: keras.Model
    step: Step
    state: State
    loader: Loader
    recipe: Recipe
    length: Length
    folder: RunFolder
    measure: Measure
    attendant: Attendant
    position: Position = field(default_factory=Position)
    _made: deque[_Made] = field(default_factory=deque)
    _clock: Clock = field(default_factory=Clock)

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to do."""
        position = self.position
        return self.length.progress(position.step, position.seconds, position.reserved) >= 1

    def run(self) -> str:
        """Trains until it is over.

        returns  why it ended: "finished", "patience" or "stopped"
        raises   TrainingError when a loss is no number, naming the pictures; StudioError when a picture or
                 the disk fails. The last checkpoint is whole whatever happens
        """
        self.folder.tell("begun", {"step": self.position.step})
        try:
            reason = self._run()
        except StudioError as error:
            with suppress(TrainingError):  # the disk may be what has failed
                self.folder.tell("failed", {"step": self.position.step, "sentence": str(error)})
            raise
        self.folder.tell(reason, {"step": self.position.step, "best": self.position.best})
        return reason

    def _run(self) -> str:
        self._clock = Clock(self.position.seconds)
        position = self.position
        progress = self._progress()
        # Less than before where epochs were added to a training that had come further.
        position.evaluations = min(position.evaluations, self._points_passed(progress))
        if progress < 1 - self.recipe.plain_end:
            position.plain_from = None
        with closing(self.loader.batches(position.step, joined=self._may_be_joined)) as batches:
            while True:
                progress = self._progress()
                if self._is_due(progress) and self._evaluate(progress):
                    return "patience"
                if progress >= 1:
                    return "finished"
                if self.attendant.wants_to_stop():
                    self._look_at_all()
                    self.save()
                    return "stopped"
                if self._clock.since_saving > _SECONDS_BETWEEN_CHECKPOINTS:
                    self.save()
                self._make_step(next(batches), progress)
                self._look_at_all(but=_IN_FLIGHT)

    def _progress(self) -> float:
        self.position.seconds = self._clock.seconds
        return self.length.progress(self.position.step, self.position.seconds, self.position.reserved)

    def _make_step(self, batch: Batch, progress: float) -> None:
        recipe = self.recipe
        rate = recipe.rate * recipe.rates.share(self.position.step, progress)
        resting = progress < recipe.backbone_rests
        rates = Rates(0.0 if resting else rate * recipe.backbone_rate, rate)
        targets = Targets(as_tensor(batch.offsets), as_tensor(batch.class_ids))
        if self.position.plain_from is None and progress >= 1 - recipe.plain_end:
            self.position.plain_from = batch.number + self.loader.ahead + 1  # those before are made already
        self.state, losses = self.step(
            self.state, as_tensor(batch.pictures), targets, as_tensor(np.array(rates, np.float32))
        )
        self.position.step += 1
        self._clock.pictures += len(batch.names)
        self._made.append(_Made(batch, losses, rate, progress))

    def _may_be_joined(self, number: int) -> bool:
        return self.position.plain_from is None or number < self.position.plain_from

    def _look_at_all(self, *, but: int = 0) -> None:
        """Writes down the steps made, all but the last few, and stops at a loss that is no number."""
        while len(self._made) > but:
            made = self._made.popleft()
            total, classes, places = (float(part) for part in made.losses)
            if not math.isfinite(total):
                raise TrainingError(
                    f"The loss of step {made.batch.number} is no number, with the pictures "
                    f"{', '.join(dict.fromkeys(made.batch.names))}. Check their labels "
                    f"('dataset check') or lower the rate ({made.rate:g}); {self.folder.path} keeps the last "
                    "checkpoint before it."
                )
            standing = self._standing(made, total)
            row = {
                "step": standing.step,
                "epoch": standing.epoch,
                "progress": standing.progress,
                "seconds": self.position.seconds,
                "rate": standing.rate,
                "loss": total,
                "classes": classes,
                "places": places,
            }
            self.folder.add_row("curves.csv", row)
            self.folder.tell("step", asdict(standing), always=False)
            self.attendant.stepped(standing)

    def _standing(self, made: _Made, loss: float) -> Standing:
        return Standing(
            step=made.batch.number,
            epoch=self._epoch(made.batch.number),
            progress=made.progress,
            rate=made.rate,
            loss=loss,
            pictures_per_s=self._clock.pictures_per_s,
            seconds_left=self._seconds_left(),
            best=self.position.best,
        )

    def _seconds_left(self) -> float | None:
        if self.length.seconds is not None:
            return max(0.0, self.length.seconds - self.position.seconds)
        if self.position.step < _STEPS_TO_JUDGE:
            return None
        progress = self.length.progress(self.position.step, self.position.seconds, self.position.reserved)
        return self.position.seconds * (1 - progress) / progress

    def _epoch(self, step: int) -> float:
        return step * self.loader.batch / len(self.loader.source)

    def _is_due(self, progress: float) -> bool:
        if progress < (self.position.evaluations + 1) / self.recipe.evaluations:
            return False
        hurried = self.length.seconds is not None and progress < 1
        return not hurried or self.position.evaluating <= _SHARE_FOR_EVALUATIONS * self.position.seconds

    def _points_passed(self, progress: float) -> int:
        return math.floor(progress * self.recipe.evaluations + 1e-9)

    def _evaluate(self, progress: float) -> bool:
        """Measures the averaged weights and keeps them when they are the best; whether patience is over."""
        self._look_at_all()
        self.position.evaluations = self._points_passed(progress)
        step = self.position.step - 1
        with self._clock.pause() as pause:
            put_into(self.network, self.state, averaged=True)
            figures = self.measure(step)
        self.position.reserved = pause.seconds
        self.position.evaluating += pause.seconds
        is_best = self.position.best is None or figures["voc_area_map"] > self.position.best
        self.position.since_best = 0 if is_best else self.position.since_best + 1
        if is_best:
            self.position.best = figures["voc_area_map"]
            arrays = {each.path: np.asarray(each) for each in self.network.weights}
            self.folder.save_checkpoint("best", arrays, {"step": step, **figures})
        row = {
            "step": step,
            "epoch": self._epoch(step),
            "seconds": self._clock.seconds,
            "voc07_map": figures["voc07_map"],
            "voc_area_map": figures["voc_area_map"],
            "best": int(is_best),
        }
        self.folder.add_row("evaluations.csv", row)
        self.folder.tell("evaluation", row)
        self.attendant.evaluated(self._epoch(step), figures, is_best)
        self.save()
        return bool(self.recipe.patience) and self.position.since_best >= self.recipe.patience

    def save(self) -> None:
        """The point from which the training can go on; all steps before it have been looked at."""
        self._look_at_all()
        self.position.seconds = self._clock.seconds
        self.folder.save_checkpoint("last", state_arrays(self.state, self.network), asdict(self.position))
        self._clock.saved()
