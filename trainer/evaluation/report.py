"""An evaluation as one HTML page that needs nothing beside itself: pictures and curves are in it."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

import cv2

from detector.errors import DatasetError
from detector.places import assets_folder
from detector.values import Detections, Pixels
from trainer.datasets import Example
from trainer.evaluation.evaluation import Evaluation
from trainer.evaluation.gallery import Shown, worst_false_alarms, worst_misses
from trainer.evaluation.reasons import Reasons
from trainer.evaluation.svg import ClassCurve, precision_recall

_SPOKE_FOR_IT = " Beside each: what of the picture spoke for it."
_SPOKE_FOR_CLASS = " Beside each: what spoke for its class at the anchor that overlaps it best."


def write_report(
    folder: Path,
    evaluation: Evaluation,
    examples: Sequence[Example],
    detections: Sequence[Detections],
    *,
    title: str,
    facts: Mapping[str, str],
    reasons: Reasons | None = None,
) -> Path:
    """Writes index.html.

    facts   what was measured on what, shown below the title
    reasons says what spoke for the worst mistakes; None: they are shown without
    returns the page's path
    raises  DatasetError when the folder cannot be written, SourceError when a picture cannot be read
    """
    alarms = worst_false_alarms(evaluation, examples, detections, reasons=reasons)
    misses = worst_misses(evaluation, examples, reasons=reasons)
    at = f"at a minimum score of {evaluation.min_score:g}"
    best = evaluation.best_min_score
    sections = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="note">{" · ".join(f"{escape(k)} {escape(v)}" for k, v in facts.items())}</p>',
        _figures(evaluation),
        _section("Classes", f"Precision, recall and F1 {at}.", _classes(evaluation)),
        _section(
            "Mistakes",
            f"Counted {at}. Gain: of the area mAP, if all of a kind, at any score, were mended.",
            _mistakes(evaluation),
        ),
        _section("Objects by size", f"COCO's sizes; recall {at}.", _sizes(evaluation)),
        _section(
            "Precision and recall",
            f"As the minimum score falls from left to right; the dot is {evaluation.min_score:g}"
            + (f". F1 over all classes would be highest at {best:.2f}." if best is not None else "."),
            f'<div class="curves">{"".join(map(precision_recall, _curves(evaluation)))}</div>',
        ),
        _section(
            "What is taken for what", f"Rows: objects; columns: detections, {at}.", _confusion(evaluation)
        ),
        _section(
            "Worst false alarms",
            "The wrong detections with the highest scores." + (_SPOKE_FOR_IT if reasons else ""),
            _gallery(alarms),
        ),
        _section(
            "Worst misses",
            f"The largest objects without a right detection {at}." + (_SPOKE_FOR_CLASS if reasons else ""),
            _gallery(misses),
        ),
    ]
    style = (assets_folder() / "report.css").read_text(encoding="utf-8")
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{style}</style>'
    page = f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(sections)}</body></html>\n'
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"The report cannot be written to {folder}: {error.strerror}.") from error
    return folder / "index.html"


def _section(title: str, note: str, body: str) -> str:
    return f'<h2>{title}</h2><p class="note">{note}</p>{body}'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def _figures(evaluation: Evaluation) -> str:
    counts, coco = evaluation.counts, evaluation.coco
    figures = {
        "VOC 2007 mAP": evaluation.voc07_map,
        "area mAP": evaluation.voc_area_map,
        "COCO AP": coco.ap,
        "COCO AP50": coco.ap50,
        "COCO AR100": coco.ar100,
        "precision": counts.precision,
        "recall": counts.recall,
        "F1": counts.f1,
    }
    tiles = (f"<div>{_number(value)}<small>{name}</small></div>" for name, value in figures.items())
    return f'<div class="figures">{"".join(tiles)}</div>'


def _classes(evaluation: Evaluation) -> str:
    head = ("class", "objects", "VOC07 AP", "area AP", "COCO AP", "precision", "recall", "F1")
    rows = []
    for each in evaluation.classes:
        aps = (each.voc07_ap, each.voc_area_ap, each.coco_ap)
        shown = (each.counts.precision, each.counts.recall, each.counts.f1)
        rows.append((each.name, str(each.counts.objects), *map(_number, (*aps, *shown))))
    return _table(head, rows)


def _mistakes(evaluation: Evaluation) -> str:
    rows = [(each.name, str(each.count), f"{each.gain:+.3f}") for each in evaluation.kinds]
    return _table(("kind", "count", "gain"), rows)


def _sizes(evaluation: Evaluation) -> str:
    coco = evaluation.coco
    aps = {"small": coco.ap_small, "medium": coco.ap_medium, "large": coco.ap_large}
    rows = [
        (name, str(there), str(found), _number(found / there if there else None), _number(aps[name]))
        for name, (found, there) in evaluation.found_by_size.items()
    ]
    return _table(("size", "objects", "found", "recall", "COCO AP"), rows)


def _curves(evaluation: Evaluation) -> list[ClassCurve]:
    return [
        ClassCurve(f"{each.name}  {_number(each.voc_area_ap)}", each.curve, evaluation.min_score)
        for each in evaluation.classes
        if each.voc_area_ap is not None
    ]


def _confusion(evaluation: Evaluation) -> str:
    """Shaded by the share of the row."""
    names = [*evaluation.labels.names, "none"]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = []
    for name, row in zip(names, evaluation.confusion.tolist()):
        total = max(sum(row), 1)
        shade = (f"background: rgb(0 114 178 / {0.8 * value / total:.2f})" for value in row)
        cells = "".join(f'<td style="{s}">{value or ""}</td>' for s, value in zip(shade, row))
        lines.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    table = f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return f'<div class="confusion">{table}</div>'


def _gallery(pictures: Sequence[Shown]) -> str:
    figures = []
    for each in pictures:
        pair = [each.pixels] if each.warm is None else [each.pixels, each.warm]
        images = "".join(f'<img alt="" src="{_address(pixels)}">' for pixels in pair)
        kind = ' class="pair"' if len(pair) > 1 else ""
        figures.append(f"<figure{kind}>{images}<figcaption>{escape(each.caption)}</figcaption></figure>")
    return f'<div class="gallery">{"".join(figures) or "None."}</div>'


def _address(pixels: Pixels) -> str:
    _, content = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return "data:image/jpeg;base64," + base64.b64encode(content.tobytes()).decode("ascii")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
