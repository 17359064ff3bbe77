"""SSD Studio: the window by default, or one of the commands below."""

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C before `main` can answer it leaves no traceback

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMANDS = {
    "demo": "see the program at work at once, without a camera or a film",
    "detect": "find objects in videos, pictures or cameras; write annotated video and JSON lines",
    "record": "record cameras and streams for weeks, without a window",
    "annotate": "burn the boxes of a recording into a copy of it, without a detector",
    "models": "list, show, fetch, import and change models",
    "export": "write a model for another runtime: ONNX, SavedModel, OpenVINO, LiteRT",
    "train": "make a detector of your own from labelled photographs",
    "dataset": "check, mend, convert, divide and look at labelled photographs",
    "evaluate": "measure how good a model is on labelled photographs",
    "explain": "see why a model sees a box: a heat map, or the anchors behind it",
    "benchmark": "measure speed on this computer, stage by stage",
    "doctor": "look over this computer: what works, what does not, and what to do about it",
}

_DESCRIPTION = """\
Watch video with an SSD detector. Without a command the window opens:

  python main.py                      choose a source in the window
  python main.py walk.mp4             watch a file, a folder of pictures or an address
  python main.py 0                    watch the first camera
  python main.py rtsp://host/stream   watch a network camera
  python main.py 0 rtsp://host/stream watch several side by side
  python main.py shop.sources         the same for the addresses in the lines of a file
"""


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    return "commands:\n" + "\n".join(lines) + "\n\n'python main.py COMMAND --help' explains one."


def _run(arguments: list[str]) -> int:
    if arguments and arguments[0] in COMMANDS:
        name = arguments[0]
        command = importlib.import_module(f"app.commands.{name}")
        parser = argparse.ArgumentParser(
            prog=f"python main.py {name}",
            description=command.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_arguments(parser)
        options = parser.parse_args(arguments[1:])
        if name == "demo" and options.record is None and _has_display():
            return _show_demo(options.model)
        return int(command.run(options))
    from app.commands.options import add_capture_option

    parser = argparse.ArgumentParser(
        prog="python main.py",
        description=_DESCRIPTION,
        epilog=_overview(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    what = "video file, picture, folder, camera number or address"
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help=what)
    parser.add_argument("--model", metavar="NAME", help="the model to use (see 'models list')")
    parser.add_argument("--record", metavar="OUT.mp4", help="record what is seen, with boxes, from the start")
    parser.add_argument("--force", action="store_true", help="replace OUT.mp4 if it exists")
    parser.add_argument("--blur", metavar="A,B", help="make objects of these classes unrecognisable")
    add_capture_option(parser)
    options = parser.parse_args(arguments)
    for source in options.sources:
        _refuse_misspelt_command(source)
    from widgets.program import run_window

    return int(run_window(**vars(options)))


def _has_display() -> bool:
    from detector.errors import DisplayError
    from widgets import qt_environment

    try:
        qt_environment.prepare()
    except DisplayError:
        return False
    return True


def _show_demo(model: str | None) -> int:
    from app.sources import DEMO
    from widgets.program import run_window

    return int(run_window([DEMO], model=model))


def _refuse_misspelt_command(source: str) -> None:
    """`python main.py detct` asks for a command, not for a file of that name."""
    if source.isalpha() and not Path(source).exists():
        near = difflib.get_close_matches(source, COMMANDS, n=1)
        if near:
            from detector.errors import OptionError

            raise OptionError(f"There is no command or file '{source}'; did you mean '{near[0]}'?")


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; what a person must know goes to stderr in one sentence, with exit code 1 or 2."""
    from app.logs import configure_logs, report_defect
    from detector.errors import StudioError

    try:
        with _interrupted_by(signal.SIGINT, signal.SIGTERM):
            configure_logs(os.environ.get("SSD_STUDIO_LOG", "WARNING"))
            return _run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return 130
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader of our output has gone: `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the process's top: a defect of ours, told in one sentence
        print(f"error: {report_defect(error)}", file=sys.stderr)
        return 1


@contextmanager
def _interrupted_by(*numbers: signal.Signals) -> Iterator[None]:
    """Each of them ends a command as Ctrl-C does, where it has no way of its own."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    from app.logs import keep_crashes

    keep_crashes()
    sys.exit(main())
