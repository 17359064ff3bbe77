"""Which sources are meant, and which file each of them is written to."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.pipeline.batch import Job, Sink
from app.pipeline.recorder.annotated_video import AnnotatedVideo
from app.recording import check_target
from app.recording.clip import SUFFIXES
from app.recording.disk import DiskLimits, refuse_full_disk
from app.recording.part_file import make_folder, refuse_existing
from app.recording.sinks import AnnotatedPicture
from app.redaction import redact
from app.sources import Source, files_in, open_source, path_of
from app.sources.folder import PICTURE_SUFFIXES, is_picture
from detector.errors import OptionError, RecordingError, SourceError
from detector.values import LabelMap

_USUAL = DiskLimits()


@dataclass(frozen=True, slots=True)
class _Subject:
    """A source to be worked on.

    name  what its frames are called: the name of a file, its path in the folder that was given
    path  of the file; None for cameras and streams
    """

    name: str
    source: Source
    path: Path | None

    @property
    def is_picture(self) -> bool:
        return self.path is not None and is_picture(self.path)


def jobs_for(
    addresses: Sequence[str],
    *,
    start: float,
    record: Path | None,
    lines: Path | None = None,
    labels: LabelMap,
    force: bool,
    capture: str = "auto",
    limits: DiskLimits = _USUAL,
    tell: Callable[[str], None] = lambda warning: None,
) -> list[Job]:
    """One job for each file, camera or stream; folders are the files in them.

    start    seconds into each video
    record   the file for the only source; else a folder, which gets a file of the same name for each
    lines    the file that gets a line for each frame, which must be none of these
    capture  see `open_source`
    limits   of the disk that videos are recorded to
    tell     see AnnotatedVideo
    raises   OptionError and RecordingError when something cannot be written where it would have to go;
             SourceError for a folder without pictures or videos, and when nothing is there at all
    Sources are not opened yet.
    """
    subjects = [subject for address in addresses for subject in _subjects(address, start, capture)]
    if len(subjects) > 1 and any(subject.source.live for subject in subjects):
        raise OptionError("A camera or stream goes on until it is stopped; give it alone.")
    if not any(
        path is None or path.exists() for path in map(path_of, addresses)
    ):  # told before a model loads
        raise SourceError(f"{redact(addresses[0])}: there is no such file; check the name.")
    subjects = _with_distinct_names(subjects)
    if lines and any(subject.path and _same(lines, subject.path) for subject in subjects):
        raise OptionError(f"--json {lines} would replace a source; choose another name.")
    if record is None:
        return [
            Job(name=subject.name, source=subject.source, start=_start(subject, start))
            for subject in subjects
        ]
    jobs, paths = [], _paths(subjects, addresses, record)
    for subject, path in zip(subjects, paths):
        if lines and _same(lines, path):
            raise OptionError(f"--record and --json would both write {path}; choose another name for one.")
        _check(subject, path, limits, force=force)
        sink: Sink = (
            AnnotatedPicture(path, labels, force=force)
            if subject.is_picture
            else AnnotatedVideo(
                path, subject.source, labels, limits=limits, taken=paths, tell=tell, force=force
            )
        )
        jobs.append(
            Job(name=subject.name, source=subject.source, start=_start(subject, start), sinks=(sink,))
        )
    return jobs


def recordings_of(jobs: Sequence[Job]) -> list[AnnotatedVideo]:
    """Those that a job writes to."""
    return [sink for job in jobs for sink in job.sinks if isinstance(sink, AnnotatedVideo)]


def _start(subject: _Subject, start: float) -> float:
    """A picture has no time."""
    return 0.0 if subject.is_picture else start


def _subjects(address: str, start: float, capture: str) -> list[_Subject]:
    def opened(address: str) -> Source:
        return open_source(address, start=start, capture=capture)

    source, path = opened(address), path_of(address)
    if path is None or not path.is_dir():
        return [_Subject(source.name, source, path if path and path.exists() else None)]
    return [_Subject(file.relative_to(path).as_posix(), opened(str(file)), file) for file in files_in(path)]


def _with_distinct_names(subjects: list[_Subject]) -> list[_Subject]:
    """Files of the same name in several places are called by their paths."""
    count = Counter(subject.name for subject in subjects)
    return [
        replace(subject, name=subject.path.as_posix())
        if subject.path and count[subject.name] > 1
        else subject
        for subject in subjects
    ]


def _paths(subjects: list[_Subject], addresses: Sequence[str], record: Path) -> list[Path]:
    """Where each is written."""
    several = len(subjects) > 1 or any(path.is_dir() for path in map(path_of, addresses) if path)
    is_file_name = record.suffix.lower() in (*SUFFIXES, *PICTURE_SUFFIXES)
    if not several and not record.is_dir() and record.suffix:
        return [record]
    if is_file_name and not record.is_dir():
        raise OptionError(f"--record {record} names one file for {len(subjects)} sources; name a folder.")
    paths = [record / _file_name(subject) for subject in subjects]
    (path, times), *_ = Counter(paths).most_common(1)
    if times > 1:
        raise OptionError(f"{times} sources would be written to {path}; run 'detect' for each folder alone.")
    for folder in {path.parent for path in paths}:
        make_folder(folder)
    return paths


def _file_name(subject: _Subject) -> str:
    """Like the source's own, without the folders above the one given; like the name of a camera or stream."""
    if subject.path is None:
        return re.sub(r"[^\w.-]+", "-", subject.name).strip("-.")[:100] + ".mp4"
    name = Path(subject.path.name if Path(subject.name) == subject.path else subject.name)
    return str(name if subject.is_picture else name.with_suffix(".mp4"))


def _check(subject: _Subject, path: Path, limits: DiskLimits, *, force: bool) -> None:
    if subject.path is not None and _same(path, subject.path):
        raise OptionError(f"The recording would replace its own source {path}; choose another name.")
    if not subject.is_picture:
        check_target(path, force=force)
        refuse_full_disk(path.parent, limits)
        return
    if not is_picture(path):
        raise RecordingError(f"{subject.name} is a picture and gives one: name it {path.stem}.jpg.")
    if not path.parent.is_dir():
        raise RecordingError(f"The folder {path.parent} for {path.name} does not exist; make it first.")
    refuse_existing(path, force=force)


def _same(one: Path, other: Path) -> bool:
    """Whether two names mean one file, there or not, by whatever links."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()
