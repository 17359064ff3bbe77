"""Look over this computer: what works for the program, what does not, and what to do about it.

  python main.py doctor
  python main.py doctor --bundle report.zip

Tries the window, codecs, cameras, GPU, OpenVINO, disk and folders. The bundle holds these findings, the log
and the settings, with names and passwords of sources taken out: look into it before you show it to others.

Exit code: 0; 1 when there is a problem.
"""

import argparse
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--bundle", metavar="FILE.zip", type=Path, help="also write a report to show to others")
    add("--json", action="store_true", help="print the findings as JSON")
    add("--force", action="store_true", help="replace FILE.zip if it exists")


def run(options: argparse.Namespace) -> int:
    from app.commands.results import refuse_existing
    from app.doctor import Rank, examine
    from app.doctor.bundle import write_bundle

    refuse_existing(options.bundle, force=options.force)
    findings = []
    for finding in examine():
        findings.append(finding)
        if not options.json:
            print(finding.line(), flush=True)
    if options.json:
        print(json.dumps([finding.to_json() for finding in findings], indent=2, ensure_ascii=False))
    if options.bundle:
        names = write_bundle(options.bundle, findings)
        if not options.json:
            print(f"Wrote {options.bundle} with {', '.join(names)}.")
    return 1 if any(finding.rank is Rank.PROBLEM for finding in findings) else 0
