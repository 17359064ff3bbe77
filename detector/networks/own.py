"""Architectures that a person wrote: a Python file each, named after it, in the folder of their networks."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location

from detector.errors import ModelError
from detector.networks.architectures import Architecture
from detector.places import network_folder

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")  # a card may come from anywhere: its text is no path


def own_names() -> list[str]:
    """The names of all of them."""
    return sorted(path.stem for path in network_folder().glob("*.py") if _NAME.fullmatch(path.stem))


def own_architecture(name: str) -> Architecture | None:
    """What the person's file of this name calls ARCHITECTURE; None when there is no such file.

    The file is run once, as part of the program.

    raises  ModelError when it cannot be, or holds no architecture of this name
    """
    path = network_folder() / f"{name}.py"
    if not _NAME.fullmatch(name) or not path.is_file():
        return None
    module_name = f"own_networks.{name}"
    module = sys.modules.get(module_name)
    if module is None:
        spec = spec_from_file_location(module_name, path)
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # whatever it raises is theirs to mend
            raise ModelError(f"{path} cannot be used: {type(error).__name__}: {error}.") from error
        sys.modules[module_name] = module
    architecture = getattr(module, "ARCHITECTURE", None)
    if not isinstance(architecture, Architecture) or architecture.name != name:
        raise ModelError(f"{path} must set ARCHITECTURE to an Architecture whose name is '{name}'.")
    return architecture
