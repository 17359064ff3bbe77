"""What one model is and how it came about.

  python main.py models show street

Also where its card and its weights lie.
"""

import argparse
import json
from typing import TYPE_CHECKING

from app.commands.model_verbs.words import megabytes, size_words

if TYPE_CHECKING:
    from detector.model_card import ModelCard


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a model of the list, or the path of a card")
    parser.add_argument("--json", action="store_true", help="its card as it is on disk")


def run(options: argparse.Namespace) -> int:
    from detector.model_store import find_model

    model = find_model(options.name)
    card = model.card
    if options.json:
        print(json.dumps(card.to_json(), indent=2, ensure_ascii=False))
        return 0
    measured = ", ".join(f"{name} {value}" for name, value in card.measured.items() if name != "int8")
    choices = ", ".join(f"{name} {value}" for name, value in card.options.items())
    lines = [
        ("name", card.name),
        ("architecture", f"{card.architecture} ({choices})" if choices else card.architecture),
        ("input", f"{size_words(card.input_size)}, {card.channel_order}, {card.anchors.count} anchors"),
        ("shown from score", f"{card.min_score:g}"),
        ("NMS overlap", f"{card.nms_iou:g}"),
        ("most detections", str(card.max_detections)),
        ("measured", measured or "nothing yet"),
        ("8-bit version", _int8_words(card)),
        ("licence", card.licence),
        ("origin", card.origin),
        ("weights", f"{model.weights_path} ({megabytes(model.weights_path)})"),
        ("classes", f"{len(card.classes)}: {', '.join(card.classes)}"),
    ]
    print("\n".join(f"{head:<17} {text}" for head, text in lines))
    return 0


def _int8_words(card: "ModelCard") -> str:
    if not card.int8_sha256:
        return "none ('models quantise' makes one)"
    figures = card.measured.get("int8", {})
    if "voc07_map" not in figures:
        return "there"
    both = f"mAP {figures['voc07_map']:.4f}, in float32 {figures['float32_voc07_map']:.4f}"
    return f"{both}, on {figures['images']} pictures ({figures['on']})"
