"""From labels as written to an example that can be trusted: turned upright, checked, clipped, flaws named."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.errors import SourceError
from detector.pictures import PictureHeader, read_header, turn_boxes
from trainer.datasets.example import Example, Flaw
from trainer.datasets.labels import ObjectLabel, PictureLabels

# A side this far beyond the picture's edge is rounding, not a mistake worth a line.
_ROUNDING = 1.0


@dataclass(frozen=True, slots=True)
class Examiner:
    """Turns labels into examples.

    class_ids   id by the name in the label files; None: an object of this class is not wanted
    least_side  see `labels.Format`
    """

    class_ids: dict[str, int | None]
    least_side: float

    def examine(self, labels: PictureLabels) -> tuple[Example | None, list[Flaw]]:
        """The example, or None where there is no picture to speak of; and all that was wrong."""
        flaws = list(labels.flaws)
        try:
            header = read_header(labels.picture)
        except SourceError as error:
            flaws.append(_picture_flaw(labels, error))
            return None, flaws
        upright = self._is_upright(labels, header, flaws)
        kept: list[tuple[ObjectLabel, int, NDArray[np.float32]]] = []
        seen: dict[tuple[str, tuple[float, ...]], int] = {}
        for label in labels.objects:
            if label.name not in self.class_ids:
                flaws.append(self._unknown_class(labels, label))
                continue
            class_id = self.class_ids[label.name]
            if class_id is None:
                continue
            box, flaw = self._box(labels, label, header, upright)
            if flaw:
                flaws.append(flaw)
            if box is None:
                continue
            twin = seen.setdefault((label.name, tuple(box.tolist())), label.number)
            if twin != label.number:
                sentence = f"the same '{label.name}' box as object {twin}. Delete one of the two."
                flaws.append(Flaw("duplicate", labels.file, label.number, sentence, left_out=False))
            kept.append((label, class_id, box))
        return _example(labels, header, kept), flaws

    def _box(
        self, labels: PictureLabels, label: ObjectLabel, header: PictureHeader, upright: bool
    ) -> tuple[NDArray[np.float32] | None, Flaw | None]:
        """The box in pixels of the upright picture, clipped to it; or None and why."""
        box, stated = np.array(label.box), label.stated
        height, width = header.upright_size if upright else (header.height, header.width)
        if labels.normalized:
            box *= [width, height, width, height]
        sides = box[2:] - box[:2]

        def flaw(kind: str, sentence: str, *, left_out: bool = True) -> Flaw:
            return Flaw(kind, labels.file, label.number, f"'{label.name}' {sentence}", left_out=left_out)

        if (sides < self.least_side).any():
            return None, flaw("reversed", f"has its corners the wrong way round: {stated}. Swap them.")
        if (sides == self.least_side).any():
            return None, flaw("point-sized", f"has no width or no height: {stated}. Draw or delete it.")
        limits = np.array([width, height, width, height])
        inside = np.clip(box, 0, limits)
        if (inside[2:] - inside[:2] <= 0).any():
            sentence = f"lies outside the picture of {width} x {height}: {stated}. Move or delete it."
            return None, flaw("outside", sentence)
        overhang = float(np.abs(box - inside).max())
        found = None
        if overhang > _ROUNDING:
            sentence = f"reaches {overhang:.0f} pixels beyond the picture of {width} x {height}; it is cut."
            found = flaw("overhanging", sentence, left_out=False)
        exact = inside.astype(np.float32)[None]
        return (exact if upright else turn_boxes(exact, header))[0], found

    def _is_upright(self, labels: PictureLabels, header: PictureHeader, flaws: list[Flaw]) -> bool:
        """Whether the boxes were drawn on the upright picture (True) or on the picture as stored.

        The stated size tells for quarter turns. Where it cannot (no size, half turns, squares), boxes belong
        to the pixels as stored: orientation then applies to picture and boxes alike.
        """
        stored = (header.height, header.width)
        upright = header.upright_size
        if labels.size is not None and labels.size not in (stored, upright):
            sentence = (
                f"the labels say {labels.size[1]} x {labels.size[0]} pixels, the picture has {upright[1]} x "
                f"{upright[0]}: the boxes may belong to another size. Correct the size, or the boxes with it."
            )
            flaws.append(Flaw("wrong size", labels.file, None, sentence, left_out=False))
        if header.orientation == 1:
            return True
        if labels.size is None or stored == upright or labels.size not in (stored, upright):
            sentence = (
                f"EXIF turns {labels.picture.name} (orientation {header.orientation}) and labels do not "
                "tell whether they were drawn before or after: they turn with it. See 'dataset preview'."
            )
            flaws.append(Flaw("turned picture", labels.file, None, sentence, left_out=False))
            return False
        return labels.size == upright

    def _unknown_class(self, labels: PictureLabels, label: ObjectLabel) -> Flaw:
        known = ", ".join(list(self.class_ids)[:12]) + (", …" if len(self.class_ids) > 12 else "")
        sentence = (
            f"class '{label.name}' is not among the dataset's classes ({known}). Correct it or add the class."
        )
        return Flaw("unknown class", labels.file, label.number, sentence)


def _picture_flaw(labels: PictureLabels, error: SourceError) -> Flaw:
    if not labels.picture.exists():
        sentence = f"its picture {labels.picture} does not exist. Add the picture or delete the label."
        return Flaw("missing picture", labels.file, None, sentence)
    return Flaw("unreadable picture", labels.file, None, f"its picture cannot be used: {error}")


def _example(
    labels: PictureLabels, header: PictureHeader, kept: list[tuple[ObjectLabel, int, NDArray[np.float32]]]
) -> Example:
    height, width = header.upright_size
    boxes = np.array([box for _, _, box in kept], np.float32).reshape(-1, 4)
    sides = boxes[:, 2:] - boxes[:, :2]
    areas = [side.prod() if label.area is None else label.area for (label, _, _), side in zip(kept, sides)]
    return Example(
        path=labels.picture,
        height=height,
        width=width,
        boxes=boxes,
        class_ids=np.array([class_id for _, class_id, _ in kept], np.int32),
        difficult=np.array([label.difficult for label, _, _ in kept], bool),
        truncated=np.array([label.truncated for label, _, _ in kept], bool),
        crowd=np.array([label.crowd for label, _, _ in kept], bool),
        areas=np.array(areas, np.float32),
    )
