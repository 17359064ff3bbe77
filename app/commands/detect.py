"""Find objects in videos, pictures, folders of either, a camera or a stream; without a window.

  python main.py detect walk.mp4 --model coco --record walk-boxes.mp4 --json walk.jsonl
  python main.py detect photos/ --model coco --classes person,dog --record annotated/
  python main.py detect rtsp://host/stream --model coco --json - --quiet | ./count-people

Every frame of a file is looked at once, in order. A camera or stream runs until Ctrl-C, and frames that come
faster than they can be looked at are left out and counted.

--record OUT.mp4 writes the one video given, with its boxes drawn in (H.264, without sound); until it is
finished it is OUT.part.mkv, which plays even if the program is killed or the power fails. Pictures of
another size begin OUT-2.mp4. It needs 500 MB free on its disk, and ends in order when 250 MB are left. For
one picture it is OUT.jpg or the like. For several sources or a folder OUT is a folder and gets a file of the
same name for each source.

--json writes a line for each frame, boxes as x1, y1, x2, y2 in pixels:
  {"source": "walk.mp4", "frame": 0, "time": 0.0, "width": 1280, "height": 720, "detections":
   [{"box": [412.5, 80.0, 530.25, 371.0], "score": 0.93, "class": "person", "class_id": 0}]}
"frame" counts from 0 where reading starts; "time" is in seconds of the source's own clock.

Exit code: 0; 1 when a source could not be read or a file not be written; 130 after Ctrl-C. In each case what
was written until then is complete and plays.
"""

import argparse
from pathlib import Path

from app.commands.amounts import at_least, from_0_to_1
from app.commands.event_options import add_event_options
from app.commands.options import add_capture_option, add_engine_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help="video, picture, folder, camera number or address")
    add(
        "--model",
        metavar="NAME",
        help="the model to use (default: the one that ships, or the only one there is)",
    )
    add("--record", metavar="OUT", type=Path, help="write what is seen with its boxes: OUT.mp4, or a folder")
    add(
        "--json", metavar="OUT.jsonl", type=Path, help="write a line for each frame; - is the standard output"
    )
    add(
        "--min-score", metavar="S", type=from_0_to_1, help="leave out what scores less (default: the model's)"
    )
    add(
        "--nms-iou",
        metavar="IOU",
        type=from_0_to_1,
        help="boxes of a class overlap at most so much (default: the model's)",
    )
    add(
        "--max-detections",
        metavar="N",
        type=at_least(1),
        help="the best N of each frame (default: the model's)",
    )
    add("--classes", metavar="A,B", help="only these classes, by name (default: all)")
    add("--blur", metavar="A,B", help="make objects of these classes unrecognisable in what is recorded")
    add("--start", metavar="SECONDS", type=float, default=0.0, help="begin so far into each video")
    add("--max-frames", metavar="N", type=at_least(1), help="stop after N frames of each source")
    add_capture_option(parser)
    add(
        "--batch",
        metavar="N",
        type=at_least(1),
        default=8,
        help="frames looked at together (default: 8; live: 1)",
    )
    add_engine_options(parser)
    add_event_options(parser)
    add("--quiet", action="store_true", help="no progress, no summary; only errors")
    add("--force", action="store_true", help="replace files that exist")


def run(options: argparse.Namespace) -> int:
    from app.commands.detect_run import DetectOptions, detect  # here: `--help` answers without them

    values = vars(options)
    for name in ("classes", "blur"):
        if values[name] is not None:
            values[name] = [each.strip() for each in values[name].split(",")]
    return detect(DetectOptions(**values))
