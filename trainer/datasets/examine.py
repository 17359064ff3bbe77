"""From labels as written to an example that can be trusted: turned upright, checked, clipped, flaws named."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.errors import SourceError
from detector.pictures import PictureHeader, read_header, turn_boxes
from trainer.datasets.example import Example, Flaw
from trainer.datasets.labels import ObjectLabel, PictureLabels

_ROUNDING = 1.0  # pixels; a side this far beyond the edge is no mistake worth a line

_SENTENCES = {
    "reversed": "has its corners the wrong way round: {stated}. Swap them.",
    "point-sized": "has no width or no height: {stated}. Draw or delete it.",
    "outside": "lies outside the picture of {width} x {height}: {stated}. Move or delete it.",
    "overhanging": "reaches beyond the picture of {width} x {height}: {stated}. It is cut at the edge.",
    "duplicate": "has the same box as object {twin}. Delete one of the two.",
}


@dataclass(frozen=True, slots=True)
class Examiner:
    """Turns labels into examples.

    class_ids   id by the name in the label files; None: objects of this class are not wanted
    least_side  see `labels.Format`
    """

    class_ids: dict[str, int | None]
    least_side: float

    def examine(self, labels: PictureLabels) -> tuple[Example | None, list[Flaw]]:
        """The example, or None where there is no picture to speak of; and all that was wrong."""
        flaws = list(labels.flaws)
        if not labels.usable:
            return None, flaws
        try:
            header = read_header(labels.picture)
        except SourceError as error:
            return None, [*flaws, _picture_flaw(labels, error)]
        upright, doubt = _is_upright(labels, header)
        unknown = [label for label in labels.objects if label.name not in self.class_ids]
        flaws += [*doubt, *(self._unknown_class(labels, label) for label in unknown)]
        wanted = [label for label in labels.objects if self.class_ids.get(label.name) is not None]
        height, width = header.upright_size if upright else (header.height, header.width)
        kinds, boxes = self._boxes(labels, wanted, height, width)
        boxes = boxes if upright else turn_boxes(boxes, header)
        kept: list[int] = []
        seen: dict[tuple[str, bytes], int] = {}
        for index, (label, kind) in enumerate(zip(wanted, kinds)):
            twin = label.number
            if kind in ("", "overhanging"):
                kept.append(index)
                twin = seen.setdefault((label.name, boxes[index].tobytes()), label.number)
            if twin != label.number:
                kind = "duplicate"
            if kind:
                text = _SENTENCES[kind].format(stated=label.stated, width=width, height=height, twin=twin)
                left_out = kind not in ("overhanging", "duplicate")
                sentence = f"'{label.name}' {text}"
                flaws.append(Flaw(kind, labels.file, label.number, sentence, labels.picture, left_out))
        return self._example(labels, header, [wanted[index] for index in kept], boxes[kept]), flaws

    def _boxes(
        self, labels: PictureLabels, objects: Sequence[ObjectLabel], height: int, width: int
    ) -> tuple[list[str], NDArray[np.float32]]:
        """What is wrong with each box ("" for nothing), and the boxes in pixels, clipped to the picture."""
        limits = np.array([width, height, width, height], np.float64)
        boxes = np.array([label.box for label in objects], np.float64).reshape(-1, 4)
        if labels.normalized:
            boxes *= limits
        inside = np.clip(boxes, 0, limits)
        shortest = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf)
        seen = (inside[:, 2:] - inside[:, :2]).min(axis=1, initial=np.inf)
        overhang = np.abs(boxes - inside).max(axis=1, initial=0)
        kinds = np.select(
            [shortest < self.least_side, shortest == self.least_side, seen <= 0, overhang > _ROUNDING],
            ["reversed", "point-sized", "outside", "overhanging"],
            "",
        )
        return kinds.tolist(), inside.astype(np.float32)

    def _example(
        self,
        labels: PictureLabels,
        header: PictureHeader,
        objects: Sequence[ObjectLabel],
        boxes: NDArray[np.float32],
    ) -> Example:
        height, width = header.upright_size
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        stated = [area if label.area is None else label.area for label, area in zip(objects, areas)]
        return Example(
            path=labels.picture,
            height=height,
            width=width,
            boxes=boxes,
            class_ids=np.array([self.class_ids[label.name] for label in objects], np.int32),
            difficult=np.array([label.difficult for label in objects], bool),
            truncated=np.array([label.truncated for label in objects], bool),
            crowd=np.array([label.crowd for label in objects], bool),
            areas=np.clip(stated, 0, height * width).astype(np.float32).reshape(-1),
        )

    def _unknown_class(self, labels: PictureLabels, label: ObjectLabel) -> Flaw:
        known = ", ".join(list(self.class_ids)[:12]) + (", …" if len(self.class_ids) > 12 else "")
        sentence = f"class '{label.name}' is none of the dataset's ({known}). Correct it or add the class."
        return Flaw("unknown class", labels.file, label.number, sentence, labels.picture)


def _is_upright(labels: PictureLabels, header: PictureHeader) -> tuple[bool, list[Flaw]]:
    """Whether the boxes were drawn on the upright picture (True) or on the picture as stored; and doubts.

    The stated size tells for quarter turns. Where it cannot (no size, half turns, squares), boxes belong to
    the pixels as stored: orientation then applies to picture and boxes alike.
    """
    stored, upright = (header.height, header.width), header.upright_size
    doubts = []
    if labels.size not in (None, stored, upright):
        sentence = (
            f"the labels say {_size(labels.size)} pixels, {labels.picture.name} has {_size(upright)}: "
            "the boxes may belong to another size. Correct the size, or the boxes with it."
        )
        doubts.append(Flaw("wrong size", labels.file, None, sentence, labels.picture, left_out=False))
    if header.orientation == 1:
        return True, doubts
    if stored != upright and labels.size in (stored, upright):
        return labels.size == upright, doubts
    if labels.objects:
        sentence = (
            f"EXIF turns {labels.picture.name} (orientation {header.orientation}) and labels do not tell "
            "whether they were drawn before or after: they turn with it. Look at 'dataset preview'."
        )
        doubts.append(Flaw("turned picture", labels.file, None, sentence, labels.picture, left_out=False))
    return False, doubts


def _size(size: tuple[int, int] | None) -> str:
    return f"{size[1]} x {size[0]}" if size else "no size"


def _picture_flaw(labels: PictureLabels, error: SourceError) -> Flaw:
    if labels.picture.exists():
        sentence = f"its picture cannot be used: {error}"
        return Flaw("unreadable picture", labels.file, None, sentence, labels.picture)
    sentence = f"its picture {labels.picture} does not exist. Add the picture or delete the label."
    return Flaw("missing picture", labels.file, None, sentence, labels.picture)
