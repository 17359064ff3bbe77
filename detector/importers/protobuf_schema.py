"""Message classes of protobuf from a table, for formats of which only a part is needed."""

from collections.abc import Mapping
from typing import Any, TypeAlias

# message -> field -> (number, type); "*" repeated, "#" repeated and packed
Messages: TypeAlias = Mapping[str, Mapping[str, tuple[int, str]]]
# enumeration -> value -> number
Enumerations: TypeAlias = Mapping[str, Mapping[str, int]]


def message_class(package: str, messages: Messages, enumerations: Enumerations, name: str) -> type[Any]:
    """The class of one message of the table; unknown fields of a file are skipped."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto2")
    for each, values in enumerations.items():
        enumeration = file.enum_type.add(name=each)
        for value, number in values.items():
            enumeration.value.add(name=value, number=number)
    for each, fields in messages.items():
        message = file.message_type.add(name=each)
        for field, (number, kind) in fields.items():
            _add_field(message, field, number, kind, package, messages, enumerations)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))


def _add_field(
    message: Any,
    name: str,
    number: int,
    kind: str,
    package: str,
    messages: Messages,
    enumerations: Enumerations,
) -> None:
    base = kind.rstrip("*#")
    field = message.field.add(name=name, number=number)
    field.label = field.LABEL_OPTIONAL if kind == base else field.LABEL_REPEATED
    if kind.endswith("#"):
        field.options.packed = True
    if base in messages or base in enumerations:
        field.type = field.TYPE_MESSAGE if base in messages else field.TYPE_ENUM
        field.type_name = f".{package}.{base}"
    else:
        field.type = getattr(field, f"TYPE_{base.upper()}")
