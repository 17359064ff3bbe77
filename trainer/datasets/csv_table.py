"""CSV: one line an object, in whatever columns. Boxes are two corners, or a corner and the size, in pixels
counted from 0 or as shares of the picture. A line without a box is a picture that shows no object.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from detector.errors import DatasetError
from detector.values import LabelMap
from trainer.datasets.csv_columns import Columns, find_columns, number, parse_columns
from trainer.datasets.example import Example, Flaw
from trainer.datasets.folders import (
    divided,
    index_pictures,
    ordered_splits,
    plain_number,
    read_names,
    read_text,
    write_names,
)
from trainer.datasets.labels import ObjectLabel, Part, PictureLabels

_WRITTEN = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")
_FLAGS = ("difficult", "truncated", "crowd")


@dataclass(frozen=True, slots=True)
class CsvTable:
    """The reader; `said` is what a person says about columns whose names do not tell."""

    said: Mapping[str, str] = field(default_factory=dict)
    name: str = "csv"
    least_side: float = 0.0
    cannot_hold: tuple[str, ...] = ()

    @staticmethod
    def with_columns(text: str) -> "CsvTable":
        """raises  OptionError when the text is not like "picture=img,class=kind,x1=3" """
        return CsvTable(parse_columns(text))

    def recognises(self, folder: Path) -> bool:
        return bool(self._files(folder))

    def splits(self, folder: Path) -> tuple[str, ...]:
        return ordered_splits(divided(self._files(folder)))

    def class_names(self, folder: Path) -> tuple[str, ...] | None:
        return read_names(folder)

    def read(self, folder: Path, split: str | None) -> Sequence[PictureLabels]:
        files = self._files(folder)
        index = index_pictures(folder)
        chosen = [split] if split else list(files)
        return [labels for each in chosen for labels in self._read_file(files[each], index)]

    def picture_folder(self, split: str | None) -> str:
        return split or "images"

    def write(self, parts: Sequence[Part], labels: LabelMap, folder: Path) -> None:
        for part in parts:
            with (folder / f"{part.split or 'labels'}.csv").open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow((*_WRITTEN, *_FLAGS, "area"))
                for picture, example in part.pictures:
                    writer.writerows(_lines(picture.relative_to(folder).as_posix(), example, labels))
        write_names(folder, labels)

    def _files(self, folder: Path) -> dict[str, Path]:
        """By split: `train.csv`, `train_labels.csv`, `train/_annotations.csv`."""
        files = {}
        for path in sorted([*folder.glob("*.csv"), *folder.glob("*/_annotations.csv")]):
            if path.name != "classes.csv" and self._looks_right(path):
                split = path.parent.name if path.stem == "_annotations" else path.stem.removesuffix("_labels")
                files[split] = path
        return files

    def _looks_right(self, path: Path) -> bool:
        if self.said:
            return True  # what does not fit is then an error, not another file
        try:
            with path.open(encoding="utf-8-sig") as lines:
                first = _table(lines.readline().splitlines(), path)
            return bool(find_columns(first[0] if first else [], {}, path))
        except (DatasetError, OSError, UnicodeDecodeError):
            return False

    def _read_file(self, file: Path, index: Mapping[str, Path]) -> list[PictureLabels]:
        rows = _table(read_text(file).splitlines(), file)
        columns = find_columns(rows[0] if rows else [], self.said, file)
        table = [_Row(row, columns) for row in rows[columns.has_names :]]
        normalized = _are_shares(table)
        pictures: dict[str, _Picture] = {}
        for object_number, row in enumerate(table, 1):
            stated = row.text("picture").replace("\\", "/")
            if stated not in pictures:
                pictures[stated] = _Picture(_find_picture(stated, file, index), row.size())
            row.add_to(pictures[stated], object_number, file)
        return [
            PictureLabels(
                picture=each.path,
                file=file,
                size=each.size,
                normalized=normalized,
                objects=tuple(each.objects),
                flaws=tuple(each.flaws),
            )
            for each in pictures.values()
        ]


@dataclass(slots=True)
class _Picture:
    """What has been read of a picture so far; its lines need not be neighbours."""

    path: Path
    size: tuple[int, int] | None
    objects: list[ObjectLabel] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Row:
    cells: Sequence[str]
    columns: Columns

    def text(self, name: str) -> str:
        at = self.columns.places.get(name)
        return self.cells[at].strip() if at is not None and at < len(self.cells) else ""

    def box(self) -> list[str]:
        return [self.text(name) for name in self.columns.box]

    def size(self) -> tuple[int, int] | None:
        height, width = number(self.text("height")), number(self.text("width"))
        return (int(height), int(width)) if height and width and height >= 1 and width >= 1 else None

    def add_to(self, picture: _Picture, object_number: int, file: Path) -> None:
        cells = self.box()
        if not any(cells):
            return
        stated, class_name = ", ".join(cells), self.text("class")
        values = [value for cell in cells if (value := number(cell)) is not None]
        if not class_name or len(values) < 4:
            what = f"has the box '{stated}', which is not four numbers" if class_name else "has no class"
            sentence = f"{what}. Correct the line."
            picture.flaws.append(Flaw("unreadable label", file, object_number, sentence, picture.path))
            return
        x1, y1, x2, y2 = values
        if "x2" not in self.columns.places:
            x2, y2 = x1 + x2, y1 + y2
        label = ObjectLabel(
            number=object_number,
            name=class_name,
            box=(x1, y1, x2, y2),
            stated=stated,
            difficult=_flag(self.text("difficult")),
            truncated=_flag(self.text("truncated")),
            crowd=_flag(self.text("crowd")),
            area=number(self.text("area")),
        )
        picture.objects.append(label)


def _find_picture(stated: str, file: Path, index: Mapping[str, Path]) -> Path:
    path = Path(stated)
    there = next((place for place in (file.parent / path, path) if stated and place.is_file()), None)
    return there or index.get(path.name) or index.get(path.stem) or file.parent / path


def _lines(picture: str, example: Example, labels: LabelMap) -> list[list[object]]:
    start = [picture, example.width, example.height]
    if not len(example):
        return [start]
    return [
        [
            *start,
            labels[example.class_ids[index]],
            *map(plain_number, map(float, example.boxes[index])),
            *(int(getattr(example, flag)[index]) for flag in _FLAGS),
            plain_number(float(example.areas[index])),
        ]
        for index in range(len(example))
    ]


def _table(lines: Sequence[str], file: Path) -> list[list[str]]:
    """The cells of all lines that are not blank.

    raises  DatasetError when they are no table
    """
    delimiter = max(",;\t", key=lines[0].count) if lines else ","  # many spreadsheets write semicolons
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DatasetError(f"{file}: is not CSV that can be read ({error}). Mend the file.") from error


def _are_shares(table: Sequence[_Row]) -> bool:
    """Pixels are never all between 0 and 1; shares are (Open Images)."""
    values = [value for row in table for cell in row.box() if (value := number(cell)) is not None]
    return any(value % 1 for value in values) and all(0 <= value <= 1 for value in values)


def _flag(text: str) -> bool:
    return text.casefold() not in ("", "0", "false", "no")
