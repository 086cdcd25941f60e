"""Options that come together: one parameter of a verb stands for all of them, and they are written down once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, get_type_hints

from registryauth._value import Value


class Group(Value):
    """A value each of whose fields is an option, annotated as typer wants it, with its default."""


def spread(function: Callable[..., Any]) -> Callable[..., Any]:
    """*function* as typer is to see it: in place of each parameter that is a `Group`, the options in it."""
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    kinds = {name: hints[name] for name in signature.parameters if isinstance(hints[name], type) and issubclass(hints[name], Group)}
    if not kinds:
        return function

    options = {name: _options(kind) for name, kind in kinds.items()}

    @wraps(function)
    def spread_out(**given: Any) -> Any:  # noqa: ANN401 - any verb
        groups = {name: kind(**{option.name: given.pop(option.name) for option in options[name]}) for name, kind in kinds.items()}
        return function(**given, **groups)

    plain = [one.replace(annotation=hints[name]) for name, one in signature.parameters.items() if name not in kinds]
    parameters = [*plain, *(option for group in options.values() for option in group)]
    spread_out.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    spread_out.__annotations__ = {one.name: one.annotation for one in parameters}
    return spread_out


def _options(kind: type[Group]) -> list[inspect.Parameter]:
    defaults, keyword = kind(), inspect.Parameter.KEYWORD_ONLY
    hints = get_type_hints(kind, include_extras=True)
    return [inspect.Parameter(name, keyword, default=getattr(defaults, name), annotation=hint) for name, hint in hints.items()]
