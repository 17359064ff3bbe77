"""Record cameras and streams for weeks, without a window; several at once.

  python main.py record rtsp://host/stream --segments 10m --quota 50GB
  python main.py record 0 rtsp://host/stream --folder /srv/video --mode annotated --model coco
  python main.py record rtsp://host/stream --on-events --classes person --pre-roll 5s --post-roll 15s
  python main.py record rtsp://host/stream --blur person --keep 7d

--mode says what is in the video: 'sidecar' (the default) leaves it as the camera sees it and keeps all
boxes in CLIP.jsonl beside CLIP.mp4, so that 'annotate' can draw them later as you like; 'clean' keeps no
boxes and needs no model; 'annotated' draws them in. Where a camera sends H.264 and nothing is drawn or
blurred, its pictures are copied as they are, which costs next to nothing.

Each recording is written as CLIP.part.mkv, which plays even after a power cut, and becomes CLIP.mp4 when it
is complete; what an interrupted run left is finished at the next start. --quota and --keep delete the
oldest recordings of the folder, never one with a CLIP.star beside it, and never a file that was not
recorded here. Unless --folder or --keep says otherwise, recordings of more than 7 days ago go.

It runs until Ctrl-C or SIGTERM, until all files given have ended, or until --on-events has no detector left.
Exit code: 0 after SIGTERM or at the end; 1 when a source could not be opened, detection failed, a recording
ended early, or pictures came and none was recorded; 130 after Ctrl-C.
"""

import argparse
from pathlib import Path

from app.commands.event_options import add_event_options
from app.commands.options import add_capture_option, add_engine_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help="camera, address, video file, or a .sources file")
    add("--folder", metavar="DIR", type=Path, help="where recordings go (default: 'cameras' in your videos)")
    add("--mode", metavar="MODE", default="sidecar", help="annotated, clean or sidecar (default: sidecar)")
    add("--segments", metavar="LENGTH", default="10m", help="cut after 90s, 10m, 1h or 500MB (default: 10m)")
    add("--quota", metavar="SIZE", help="all recordings of the folder together: 50GB (default: no limit)")
    add("--keep", metavar="TIME", help="delete recordings older than this: 7d, or ever (default: see above)")
    add("--on-events", action="store_true", help="only around what is seen, or what --zones tell")
    add("--pre-roll", metavar="TIME", default="5s", help="so long before it (default: 5s)")
    add("--post-roll", metavar="TIME", default="10s", help="so long after it (default: 10s)")
    add("--model", metavar="NAME", help="default: the one that ships, or the only one there is")
    add("--min-score", metavar="S", type=float, help="what is shown and seen (default: the model's)")
    add("--classes", metavar="A,B", help="only these classes, by name (default: all)")
    add("--blur", metavar="A,B", help="make objects of these classes unrecognisable")
    add("--codec", metavar="NAME", help="the encoder, where one is needed (default: libx264)")
    add("--for", metavar="TIME", dest="lasting", help="end by itself after so long (default: never)")
    add_capture_option(parser)
    add_engine_options(parser)
    add_event_options(parser)
    add("--metrics", metavar="PORT", type=int, help="figures for Prometheus at 127.0.0.1:PORT/metrics")
    add("--quiet", action="store_true", help="only warnings and errors")


def run(options: argparse.Namespace) -> int:
    from app.commands.record_options import read_options
    from app.commands.record_run import record  # here: `--help` answers without it

    return record(read_options(options))
