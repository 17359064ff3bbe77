"""Everything that can go wrong and that a person can mend.

StudioError
├── ModelError       a model, its card or its weights
├── ImportFileError  somebody else's weights file
├── DownloadError    weights that cannot be fetched, or are not those that were published
├── ExportError      a model in somebody else's format
├── EngineError      a device or a runtime
├── SourceError      a camera, a file, a stream
├── RecordingError   a video or a lines file being written
├── DatasetError     labelled photographs
├── TrainingError    a run that cannot go on
├── DisplayError     no screen for a window, or a system without what a window needs
└── OptionError      a value on the command line that cannot be meant (exit code 2)
"""


class StudioError(Exception):
    """Message: one sentence: what, where, what to do."""

    exit_code = 1


class ModelError(StudioError):
    pass


class ImportFileError(StudioError):
    pass


class DownloadError(StudioError):
    pass


class ExportError(StudioError):
    pass


class EngineError(StudioError):
    pass


class SourceError(StudioError):
    pass


class RecordingError(StudioError):
    pass


class DatasetError(StudioError):
    pass


class TrainingError(StudioError):
    pass


class DisplayError(StudioError):
    pass


class OptionError(StudioError):
    exit_code = 2
