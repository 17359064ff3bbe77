"""Zones, lines and what is done on an event: the same options wherever something is watched."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from detector.errors import OptionError

if TYPE_CHECKING:  # `--help` answers without numpy and OpenCV
    from app.events.event_log import EventLog
    from detector.values import LabelMap

_EXPLANATION = """\
--zones names a file of zones and lines, their places as shares of the picture's width and height:
  {"zones": [{"name": "door", "corners": [[0.1, 0.2], [0.4, 0.2], [0.4, 0.9], [0.1, 0.9]]}],
   "lines": [{"name": "gate", "start": [0.5, 1.0], "end": [0.5, 0.0]}]}
Who appears in a zone, leaves it or crosses a line is a line of JSON in --events, with a picture in the folder
EVENTS-pictures beside it. --on-event starts a command for each, which reads that line from its standard
input, or posts it to an address that begins with http:// or https://; nothing waits for either."""


@dataclass(frozen=True, slots=True)
class EventOptions:
    """Where things are watched, and what becomes of them."""

    zones: Path
    events: Path | None
    on_event: str | None


def add_event_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("events", _EXPLANATION).add_argument
    add("--zones", metavar="FILE.json", type=Path, help="zones and lines to watch")
    add("--events", metavar="EVENTS.jsonl", type=Path, help="append what happens there, with pictures")
    add("--on-event", metavar="COMMAND", help="start this for each event, or tell this http(s) address")


def event_options(
    zones: Path | None, events: Path | None, on_event: str | None, *, recorded: bool = False
) -> EventOptions | None:
    """None when nothing is to be watched.

    recorded  whether a recording waits for what happens: then nothing else need be done
    raises    OptionError when one option lacks another
    """
    if zones is None:
        if events or on_event:
            raise OptionError("--events and --on-event need --zones FILE: what is to be watched.")
        return None
    if not (events or on_event or recorded):
        raise OptionError("--zones needs --events FILE.jsonl or --on-event COMMAND: what is to be done.")
    return EventOptions(zones, events, on_event)


def open_log(options: EventOptions, labels: "LabelMap", *, live: bool) -> "EventLog":
    """Where events go.

    raises  OptionError when the command is not there, RecordingError when the file cannot be written
    """
    from app.events.actions import open_action
    from app.events.event_log import EventLog, check_events_file

    action = open_action(options.on_event) if options.on_event else None
    if options.events:
        check_events_file(options.events)
    return EventLog(options.events, labels, action=action, live=live)
