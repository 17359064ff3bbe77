"""The anchors that a whole Keras model describes in its AnchorBoxes layers."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from detector.anchor_layouts import LAYOUTS, caffe_shapes
from detector.anchors import AnchorLayout, Shape
from detector.errors import ImportFileError
from detector.importers.caffe_names import Plan
from detector.importers.keras_file import KerasFile


@dataclass(frozen=True, slots=True)
class DescribedAnchors:
    """What a file says: a layout for its own pictures, and fields of the card; neither in weights alone."""

    layout: AnchorLayout | None = None
    card: dict[str, Any] = field(default_factory=dict)


def anchor_settings(file: KerasFile) -> list[dict[str, Any]]:
    """The settings of the AnchorBoxes layers, finest map first."""
    return [dict(each) for each in file.config.values() if each.get("class_name") == "AnchorBoxes"]


def shapes_of(path: Path, settings: dict[str, Any]) -> tuple[Shape, ...]:
    """The shapes of one AnchorBoxes layer, in the order of its ratios; the larger square behind ratio 1.

    raises  ImportFileError when its boxes are coded in another way than here
    """
    if settings.get("coords") != "centroids":
        raise ImportFileError(
            f"{path.name} codes its boxes as '{settings.get('coords')}'; only 'centroids' can be imported."
        )
    try:
        this, following = float(settings["this_scale"]), float(settings["next_scale"])
        ratios = [float(each) for each in settings["aspect_ratios"]]
        shapes: list[Shape] = []
        for ratio in ratios:
            if ratio == 1:
                shapes += caffe_shapes(
                    this, following if settings["two_boxes_for_ar1"] else None, [], image=1
                )
            elif ratio < 1:
                shapes.append(caffe_shapes(this, None, [1 / ratio], image=1)[2])
            else:
                shapes.append(caffe_shapes(this, None, [ratio], image=1)[1])
        return tuple(shapes)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ImportFileError(f"{path.name} describes its anchors badly: {error}.") from error


def variances_of(settings: list[dict[str, Any]]) -> dict[str, Any]:
    """For the card: the variances that all maps share."""
    values = {tuple(float(value) for value in each.get("variances", ())) for each in settings}
    found = values.pop() if len(values) == 1 else ()
    return {"variances": found} if len(found) == 4 and min(found) > 0 else {}


def described_anchors(path: Path, file: KerasFile, plan: Plan) -> DescribedAnchors:
    """Of an SSD on VGG16: the published layout with these shapes, or its steps and cells with other shapes.

    The description leaves out the steps from anchor to anchor.
    """
    settings = anchor_settings(file)
    known = [LAYOUTS[name] for name in _candidates(plan.architecture)]
    if len(settings) != len(known[0].maps):
        return DescribedAnchors()
    shapes = [shapes_of(path, each) for each in settings]
    for layout in known:
        pairs = zip(shapes, layout.maps)
        if all(
            len(mine) == len(its.shapes) and np.allclose(mine, its.shapes, rtol=5e-3) for mine, its in pairs
        ):
            return DescribedAnchors(layout, variances_of(settings))
    maps = tuple(replace(each, shapes=mine) for each, mine in zip(known[0].maps, shapes))
    return DescribedAnchors(replace(known[0], maps=maps), variances_of(settings))


def _candidates(architecture: str) -> tuple[str, ...]:
    if architecture == "ssd512-vgg16":
        return "ssd512-voc-exact", "ssd512-coco-exact"
    return ("ssd300-voc", "ssd300-coco") if architecture == "ssd300-vgg16" else ("ssd300-rykov8",)
