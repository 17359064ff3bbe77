"""Measure speed on this computer: what a picture costs, stage by stage, and against others.

  python main.py benchmark
  python main.py benchmark --model coco --tflite detect.tflite --markdown speed.md --json speed.json
  python main.py benchmark --model coco --video walk.mp4
  KERAS_BACKEND=jax python main.py benchmark --device gpu

Networks run through OpenVINO as `detect` and the window run them, and through TensorFlow's tf.function as
people call them; with --tflite also through LiteRT. All take turns in one run, so the ratios hold even where
other programs disturb the milliseconds. Without --model: ssd300-vgg16 and ssd300-mobilenet-v1 with random
weights that give as many answers as trained ones. With --video also the frames a second of reading, detecting
and recording that video, each alone and all together. With --device gpu: batches of 1 to 256 pictures.

Columns are medians in milliseconds. "selection" is all that comes after the network: decoding, NMS, scaling
back; "p95" is what 95 of 100 whole calls stay below; "of X" is the whole call in parts of X's network.
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--model", metavar="NAME", help="the model to measure (see 'models list'; default: random weights)")
    add("--tflite", metavar="FILE", type=Path, help="compare with LiteRT on this file")
    add("--video", metavar="FILE", type=Path, help="measure the way of this file too; needs --model")
    add("--device", metavar="NAME", default="cpu", help="cpu or gpu (default: cpu)")
    add(
        "--rounds", metavar="N", type=int, default=40, help="turns of each (default: 40, about three minutes)"
    )
    add("--json", metavar="FILE", type=Path, help="write the figures for a program to read")
    add("--markdown", metavar="FILE", type=Path, help="write a page for people to read")
    add("--force", action="store_true", help="replace files that exist")


def run(options: argparse.Namespace) -> int:
    import sys

    from app.benchmark.report import page, to_json
    from app.benchmark.runs import BenchmarkOptions, benchmark
    from app.commands.progress import counted
    from app.commands.results import refuse_existing, write_file, write_json

    for path in (options.json, options.markdown):
        refuse_existing(path, force=options.force)
    chosen = BenchmarkOptions(
        model=options.model,
        tflite=options.tflite,
        video=options.video,
        device=options.device,
        rounds=options.rounds,
    )
    with counted("rounds") as tell:
        measured = benchmark(chosen, on_round=tell, notify=lambda sentence: print(sentence, file=sys.stderr))
    print(page(measured, markdown=False))
    if options.markdown:
        write_file(options.markdown, page(measured, markdown=True).encode())
    if options.json:
        write_json(options.json, to_json(measured))
    return 0
