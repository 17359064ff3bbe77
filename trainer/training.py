"""Begins a training from its plan, or goes on with it, and makes a model of its best weights."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import keras

from detector.class_names import Aliases
from detector.engines.devices import usable_cores
from detector.errors import TrainingError
from detector.model_card import ModelCard
from detector.model_store import Model, check_new_name, save_model, weights_called
from detector.values import LabelMap
from trainer.augmentation import chain
from trainer.augmentation.joining import Mosaic
from trainer.checkpoints import state_from
from trainer.datasets import Example
from trainer.evaluation.answers import ClassMap, answers
from trainer.evaluation.evaluation import evaluate
from trainer.example_source import ROOM_TO_ZOOM, ExampleSource
from trainer.fitting import Attendant, Fitting, Length, Position
from trainer.loading import Loader
from trainer.network_answers import NetworkAnswers
from trainer.optimiser import OPTIMISERS
from trainer.picture_cache import PictureCache
from trainer.plan import Division, Plan, divide
from trainer.precision import fastest_precision
from trainer.prediction_sheet import sheet_of
from trainer.recipe import Recipe
from trainer.run_folder import RunFolder
from trainer.shared_bytes import CAN_BE_SHARED
from trainer.step import StepOptions, compile_step, first_state
from trainer.targets import TargetCoder
from trainer.trainee import card_for, criterion_for, network_for, start, teacher_for
from trainer.unfolding import refine_statistics

_CORES_FOR_THREADS = 4  # more cores stand beside a GPU, which takes more pictures than one interpreter makes
_BATCHES_TO_REFINE = 16  # of pictures, to measure what the normalisation of an unfolded network is given


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """A training that is ready to run, or has run."""

    plan: Plan
    card: ModelCard
    folder: RunFolder
    fitting: Fitting

    def run(self) -> str:
        """Trains; see `Fitting.run`."""
        return self.fitting.run()

    def model(self) -> Model | None:
        """The best weights as a model, in the run folder and among the person's; None before an evaluation.

        raises  ModelError when it cannot be written
        """
        if not self.folder.has_checkpoint("best"):
            return None
        arrays, facts = self.folder.read_checkpoint("best")
        measured = {name: facts[name] for name in ("voc07_map", "voc_area_map")}
        on = f"{self.folder.config['validation_pictures']} validation pictures of {Path(self.plan.data).name}"
        card = replace(self.card, measured={**measured, "on": on})
        save_model(card, arrays, folder=self.folder.path, force=True)
        saved = save_model(card, arrays, force=True)
        self.folder.save_config({**self.folder.config, "replaces": saved.card.weights_sha256})
        return saved


def begin(
    plan: Plan, path: Path, *, attendant: Attendant, workers: int | None = None, force: bool = False
) -> Training:
    """A new training in a new run folder.

    attendant  is told what is learnt from what, what was left out and what was kept
    workers    that prepare pictures; None: as many as this computer has cores to spare
    force      replace the person's model of that name, at the end
    raises     StudioError when the name is taken; when plan, pictures or starting weights cannot be used
    """
    check_new_name(plan.name, force=force)
    if plan.recipe.precision == "auto":
        plan = replace(plan, recipe=replace(plan.recipe, precision=fastest_precision()))
    division = divide(plan)
    card = card_for(plan, division.train.labels.names)
    network = network_for(card, plan.recipe)
    started = start(network, card, plan)
    for sentence in (division.sentence, division.left_out, *started.notes):
        if sentence:
            attendant.say(sentence)
    loader = make_loader(division.examples, card, plan.recipe, workers)
    if started.unfolded:
        with closing(loader.batches()) as batches:
            pictures = (batch.pictures for batch in islice(batches, _BATCHES_TO_REFINE))
            count = refine_statistics(network, pictures)
        attendant.say(f"Measured what each of the {count} normalisations that were folded away is given.")
    config = {
        "plan": plan.to_json(),
        "card": card.to_json(),
        "backbone": sorted(started.backbone),
        "pictures": _fingerprint(division.examples),
        "validation_pictures": len(division.validation),
        "replaces": weights_called(plan.name),
    }
    folder = RunFolder.create(path, config)
    fitting = _fitting(plan, card, folder, network, loader, division, attendant)
    fitting.save()  # the first checkpoint: another backend can begin with the same weights
    return Training(plan, card, folder, fitting)


def go_on(
    path: Path,
    *,
    attendant: Attendant,
    more_epochs: float | None = None,
    more_minutes: float | None = None,
    rate: float | None = None,
    data: str | None = None,
    workers: int | None = None,
    force: bool = False,
) -> Training:
    """The training of a run folder, where its last checkpoint stands.

    more_epochs, more_minutes  at most one of them: what is added to the training; to one that counted in the
                               other, from where it stands
    rate    another one from now on; None: the recipe's
    data    where the same pictures lie now; None: where they lay
    force   replace the person's model of that name at the end, though it is not this training's
    raises  StudioError when the folder holds none, its pictures have changed, or its name is taken by now
    """
    folder = RunFolder.open(path)
    try:
        plan = Plan.from_json(folder.config["plan"])
        card = ModelCard.from_json(folder.config["card"])
    except (KeyError, TypeError) as error:
        raise TrainingError(f"{path} holds no training: its config.json is another program's.") from error
    there = weights_called(plan.name)
    if there and there != folder.config.get("replaces", there) and not force:
        raise TrainingError(
            f"There is another model '{plan.name}' by now, which {path} would replace at the end; "
            "--force lets it."
        )
    plan = replace(plan, data=data or plan.data)
    division = divide(plan)
    if _fingerprint(division.examples) != folder.config["pictures"]:
        raise TrainingError(
            f"The pictures in {plan.data} are not those {path} was begun with; begin a new training."
        )
    arrays, facts = folder.read_checkpoint("last")
    position = Position(**facts)
    plan = _lengthened(plan, position, len(division.examples), epochs=more_epochs, minutes=more_minutes)
    plan = replace(plan, recipe=plan.recipe.with_values({} if rate is None else {"rate": rate}))
    network = network_for(card, plan.recipe)
    loader = make_loader(division.examples, card, plan.recipe, workers)
    fitting = _fitting(plan, card, folder, network, loader, division, attendant)
    fitting.state = state_from(arrays, network, fitting.state)
    fitting.position = position
    folder.save_config({**folder.config, "plan": plan.to_json()})
    folder.take_off_after(fitting.position.step - 1)
    if fitting.is_over:
        attendant.say(f"{path} is finished; --epochs or --minutes adds to it.")
    else:
        attendant.say(f"{path} goes on after {position.step} steps.")
    return Training(plan, card, folder, fitting)


def _lengthened(
    plan: Plan, position: Position, pictures: int, *, epochs: float | None, minutes: float | None
) -> Plan:
    """The plan with so many more epochs or minutes."""
    if minutes is not None:
        return replace(plan, minutes=minutes + (plan.minutes or position.seconds / 60))
    if epochs is None:
        return plan
    planned = plan.recipe.epochs if plan.minutes is None else position.step * plan.recipe.batch / pictures
    return replace(plan, minutes=None, recipe=plan.recipe.with_values({"epochs": planned + epochs}))


def _fitting(
    plan: Plan,
    card: ModelCard,
    folder: RunFolder,
    network: keras.Model,
    loader: Loader,
    division: Division,
    attendant: Attendant,
) -> Fitting:
    recipe = plan.recipe
    teacher = teacher_for(plan, card)
    options = StepOptions(
        criterion=criterion_for(recipe, card),
        optimiser=OPTIMISERS[recipe.optimiser],
        backbone=frozenset(folder.config["backbone"]),
        decay=recipe.weight_decay,
        clip_norm=recipe.clip_norm,
        averaging=recipe.averaging,
        teaching=None if teacher is None else teacher.loss,
        teaching_weight=recipe.teacher_weight,
    )
    # Measured in float32 whatever it learns in: another network, the same weights.
    learning = network if recipe.precision == "float32" else network_for(card, recipe, recipe.precision)
    steps = max(1, round(recipe.epochs * len(division.examples) / recipe.batch))
    return Fitting(
        network=network,
        step=compile_step(learning, options),
        state=first_state(network, options),
        loader=loader,
        recipe=recipe,
        length=Length(steps=steps) if plan.minutes is None else Length(seconds=plan.minutes * 60),
        folder=folder,
        measure=_Measurement(network, card, division, folder),
        attendant=attendant,
    )


class _Measurement:
    """The figures of a network on the validation pictures, and a sheet of what it finds there."""

    def __init__(self, network: keras.Model, card: ModelCard, division: Division, folder: RunFolder) -> None:
        self._answers = NetworkAnswers(network, card)
        self._validation = division.validation
        self._labels = division.train.labels
        self._class_map = ClassMap.between(LabelMap(card.classes), self._labels, Aliases([]))
        self._folder = folder
        self._min_score = card.min_score

    def __call__(self, step: int) -> Mapping[str, float]:
        found = answers(self._answers, self._validation, self._class_map)
        evaluation = evaluate(self._validation, found, self._labels)
        sheet = sheet_of(self._validation, found, self._labels, min_score=self._min_score)
        self._folder.add_sheet(step, sheet)
        return {"voc07_map": evaluation.voc07_map, "voc_area_map": evaluation.voc_area_map}


def make_loader(
    examples: Sequence[Example], card: ModelCard, recipe: Recipe, workers: int | None = None
) -> Loader:
    """The batches of a training of this card on these examples.

    workers  None: as many as this computer has cores to spare
    """
    cores = usable_cores()
    height, width = card.input_size
    source = ExampleSource(
        examples=examples,
        cache=PictureCache(examples, longest_side=ROOM_TO_ZOOM * max(height, width)),
        chain=chain(
            recipe.augmentation,
            height=height,
            width=width,
            zoom_out=recipe.zoom_out,
            zoom_in=recipe.zoom_in,
        ),
        difficult=recipe.difficult,
        mosaic=recipe.mosaic,
        mixup=recipe.mixup,
        joining=Mosaic(height=2 * height, width=2 * width),
    )
    return Loader(
        source=source,
        coder=TargetCoder(card),
        height=height,
        width=width,
        rgb=card.channel_order == "RGB",
        batch=recipe.batch,
        seed=recipe.seed,
        workers=workers or max(2, cores - 2),
        processes=CAN_BE_SHARED and cores > _CORES_FOR_THREADS,
        ahead=max(3, 2 * cores // recipe.batch),
    )


def _fingerprint(examples: Sequence[Example]) -> str:
    """Changes when pictures or boxes do."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(example.path.name.encode())
        digest.update(example.boxes.tobytes())
        digest.update(example.class_ids.tobytes())
    return digest.hexdigest()
