"""What `explain` does with its options."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from app.anchor_pictures import WIDTH, behind, grids, matched
from app.commands.progress import counted
from app.commands.results import refuse_existing, write_file
from app.greetings import without_greetings
from app.overlay import draw
from app.sheet import captioned, fitted, sheet
from detector.anchors import generate
from detector.errors import OptionError
from detector.explain.look import with_heat
from detector.explain.names import METHODS
from detector.model_store import Model, default_model, find_model
from detector.pictures import read_picture
from detector.values import Boxes, Detections, Frame, Pixels

if TYPE_CHECKING:
    from detector.explain.explainer import Explainer


def explain(options: argparse.Namespace) -> int:
    refuse_existing(options.out, force=options.force)
    if options.data and not options.anchors:
        raise OptionError("--data is about anchors; give --anchors with it.")
    frame = Frame(read_picture(options.picture), source=options.picture.name)
    model = find_model(options.model) if options.model else default_model()
    labelled = _labelled(options.data, options.picture) if options.data else None
    with without_greetings():
        from detector.explain.explainer import Explainer

        explainer = Explainer(model)
    min_score = model.card.min_score if options.min_score is None else options.min_score
    found = explainer.detect(frame, floor=min(min_score, 0.05)).above(min_score)
    box = _choose(found, model, options, min_score)
    for index in range(len(found)):
        mark = "*" if index == box else " "
        print(f"{mark}{index + 1:>3}  {_words(found, index, model)}")
    if options.anchors:
        picture = _anchors(explainer, model, frame, found, box, labelled)
    else:
        assert box is not None
        picture = _reasons(explainer, model, frame, found[box : box + 1], options)
    _, content = cv2.imencode(".png", picture)
    write_file(options.out, content.tobytes())
    print(options.out)
    return 0


def _choose(found: Detections, model: Model, options: argparse.Namespace, min_score: float) -> int | None:
    """Which of the boxes is meant; None where there is none and none is needed."""
    if options.name is not None:
        its = np.flatnonzero(found.class_ids == model.labels.class_id(options.name))
        if not len(its):
            raise OptionError(
                f"No {options.name} is seen with a score of {min_score:g}; try --min-score 0.1."
            )
        return int(its[0])
    wanted = 1 if options.box is None else options.box
    if 1 <= wanted <= len(found):
        return int(wanted - 1)
    if options.anchors and options.box is None:
        return None
    if not len(found):
        raise OptionError(f"Nothing is seen with a score of {min_score:g}; try --min-score 0.1.")
    raise OptionError(f"There is no box {wanted}: the picture has boxes 1 to {len(found)}.")


def _reasons(
    explainer: "Explainer",
    model: Model,
    frame: Frame,
    one: Detections,
    options: argparse.Namespace,
) -> Pixels:
    """The picture with the box, beside it what spoke for it."""
    assert one.anchor_ids is not None
    with counted("masks") as progress:
        explanation = explainer.explain(
            frame,
            anchor_id=int(one.anchor_ids[0]),
            class_id=int(one.class_ids[0]),
            method=options.method,
            layer=options.layer,
            progress=progress,
        )
    rows, columns = explanation.heat.shape
    spoke = f"{explanation.layer} ({rows}x{columns})" if explanation.layer else "the picture itself"
    if not explanation.heat.any():
        spoke += ", where nothing spoke for it"
    warm = draw(with_heat(frame.pixels, explanation.heat), one, model.labels)
    words = f"{_words(one, 0, model)} · {_anchor_words(model, explanation.anchor_id)}"
    return sheet(
        [
            captioned(_wide(draw(frame.pixels, one, model.labels)), words),
            captioned(_wide(warm), f"{explanation.method}: {METHODS[explanation.method]} · {spoke}"),
        ],
        columns=2,
    )


def _anchors(
    explainer: "Explainer",
    model: Model,
    frame: Frame,
    found: Detections,
    box: int | None,
    labelled: tuple[Boxes, list[str]] | None,
) -> Pixels:
    """The anchors behind the box, of every map, and of the labelled objects."""
    card = model.card
    anchors = generate(card.anchors)
    pictures: list[Pixels] = []
    at = 0.5, 0.5
    if box is not None and found.anchor_ids is not None:
        anchor_id, class_id = int(found.anchor_ids[box]), int(found.class_ids[box])
        fallen = explainer.suppressed_by(anchor_id, frame, class_id=class_id, nms_iou=card.nms_iou)
        seen = draw(frame.pixels, found[box : box + 1], model.labels)
        words = f"thick: {_anchor_words(model, anchor_id)}, which gave the box"
        words += f"; thin: {len(fallen)} anchors whose boxes it suppressed"
        pictures += [captioned(fitted(seen, WIDTH), _words(found, box, model))]
        pictures += [behind(frame.pixels, anchors, anchor_id, fallen, words)]
        at = float(anchors[anchor_id, 0]), float(anchors[anchor_id, 1])
    pictures += grids(frame.pixels, card.anchors, at)
    if labelled:
        pictures += matched(frame.pixels, anchors, *labelled)
    return sheet(pictures, columns=3)


def _labelled(folder: Path, picture: Path) -> tuple[Boxes, list[str]]:
    """The objects of a picture, normalized, and their names."""
    from trainer.datasets import open_dataset

    dataset = open_dataset(folder)
    example = next((each for each in dataset.examples if each.path.samefile(picture)), None)
    if example is None:
        raise OptionError(f"{picture} is none of the labelled pictures of {folder}.")
    size = np.array([example.width, example.height] * 2, np.float32)
    return example.boxes / size, [dataset.labels[class_id] for class_id in example.class_ids.tolist()]


def _wide(pixels: Pixels) -> Pixels:
    return fitted(pixels, max(WIDTH, min(pixels.shape[1], 2 * WIDTH)))


def _words(found: Detections, index: int, model: Model) -> str:
    return f"{model.labels[int(found.class_ids[index])]} {found.scores[index]:.2f}"


def _anchor_words(model: Model, anchor_id: int) -> str:
    layout = model.card.anchors
    number = int(np.searchsorted(np.cumsum(layout.counts), anchor_id, side="right"))
    height, width = layout.map_shapes[number]
    return f"anchor {anchor_id} of map {number + 1} ({height}x{width} cells)"
