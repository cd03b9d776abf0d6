"""Whether JSON is a dashboard as Grafana knows it: every field known, every value of its type.

The types are those of `grafana-foundation-sdk`, which its makers generate from Grafana's own schemas, one release for each of
Grafana's. Its decoder leaves out what it does not know and takes any value: here that is an error.
"""

import enum
import json
import types
import typing

from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard, FieldConfig, Panel

register_default_plugins()
UNITS = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")}


def problems(dashboard: dict) -> list[str]:
    """What Grafana would not understand; nothing when all is well."""
    try:
        decoded = Dashboard.from_json(dashboard)
    except (AttributeError, KeyError, TypeError) as error:
        return [f"it cannot be decoded: {error!r}"]
    written = json.loads(json.dumps(decoded, cls=JSONEncoder))
    return [*_lost(dashboard, written, "dashboard"), *_of_wrong_type(decoded, "dashboard")]


def _lost(given: object, written: object, at: str) -> typing.Iterator[str]:
    """What was given and was not written again: a field that has no place in the schema."""
    if isinstance(given, dict) and isinstance(written, dict):
        for key, value in given.items():
            if key in written:
                yield from _lost(value, written[key], f"{at}.{key}")
            else:
                yield f"{at}.{key} is no field"
    elif isinstance(given, list) and isinstance(written, list):
        for index, (one, other) in enumerate(zip(given, written, strict=True)):
            yield from _lost(one, other, f"{at}[{index}]")


def _of_wrong_type(part: object, at: str) -> typing.Iterator[str]:
    if isinstance(part, list):
        for index, one in enumerate(part):
            yield from _of_wrong_type(one, f"{at}[{index}]")
    if isinstance(part, dict):
        for key, value in part.items():
            yield from _of_wrong_type(value, f"{at}.{key}")
    if not hasattr(part, "to_json"):
        return
    if isinstance(part, FieldConfig) and part.unit is not None and part.unit not in UNITS:
        yield f"{at}.unit: Grafana has no unit {part.unit!r}"
    # What no plugin decoded would be taken whatever it holds.
    if isinstance(part, FieldConfig) and isinstance(part.custom, dict) and part.custom:
        yield f"{at}.custom: such a panel has no fields of its own"
    if isinstance(part, Panel) and isinstance(part.options, dict):
        yield f"{at}: there is no panel of type {part.type_val!r}"
    hints = typing.get_type_hints(type(part))
    for name, value in vars(part).items():
        if not _fits(value, hints[name]):
            yield f"{at}.{name}: {value!r} is not {hints[name]}"
        yield from _of_wrong_type(value, f"{at}.{name}")


def _fits(value: object, wanted: object) -> bool:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if wanted in (object, typing.Any):
        return True
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin is list:
        return isinstance(value, list) and all(_fits(one, arguments[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(one, arguments[1]) for one in value.values())
    if issubclass(wanted, enum.Enum):
        return value in [member.value for member in wanted]
    if wanted is variants.Dataquery:
        # One of a data source that the library does not know is kept as it came.
        return isinstance(value, wanted) and not hasattr(value, "data")
    if wanted is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))
