"""Frozen values, without the price of `dataclasses`.

`dataclasses` imports `inspect`, which costs the docker helper a quarter of its whole run
(docs/decisions/0003-values-without-dataclasses.md has the figures); a type checker reads these
classes as frozen dataclasses all the same.
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self, dataclass_transform
else:

    def dataclass_transform(**_: object) -> object:
        """Stand in for `typing.dataclass_transform`, which does nothing at run time either."""
        return lambda cls: cls


_REQUIRED = object()


@dataclass_transform(frozen_default=True)
class ValueType(type):
    """Turns a class body's annotations into slots."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], hidden: tuple[str, ...] = ()) -> ValueType:
        """Make a class whose *hidden* fields never show in its repr."""
        own = [field for field, kind in namespace.get("__annotations__", {}).items() if not kind.startswith("ClassVar")]
        defaults = {field: namespace.pop(field, _REQUIRED) for field in own}
        inherited: dict[str, Any] = {}
        for base in bases:
            inherited |= getattr(base, "_defaults", {})
        namespace["__slots__"] = tuple(own)
        namespace["_defaults"] = inherited | defaults
        namespace["__match_args__"] = tuple(namespace["_defaults"])
        # The names once more, typed: an annotated __match_args__ would itself be read as a field.
        namespace["_names"] = names = namespace["__match_args__"]
        # In C: a value that is a key is asked for its fields all the time. For a single name it would give no tuple.
        namespace["_read"] = attrgetter(*names) if len(names) > 1 else None
        cls = super().__new__(mcls, name, bases, namespace)
        cls._hidden = frozenset(hidden).union(*(getattr(base, "_hidden", ()) for base in bases))
        return cls

    _defaults: dict[str, Any]
    _names: tuple[str, ...]
    _read: attrgetter[tuple[Any, ...]] | None
    _hidden: frozenset[str]


class Value(metaclass=ValueType):
    """A value: compared by content, never changed, its secrets never shown."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cls = type(self)
        names = cls._names
        if len(args) > len(names):
            raise TypeError(f"{cls.__name__} takes {len(names)} arguments, not {len(args)}")
        put = object.__setattr__
        for name, given in zip(names, args, strict=False):
            if name in kwargs:
                raise TypeError(f"{cls.__name__} got {name} twice")
            put(self, name, given)
        for name in names[len(args) :]:
            given = kwargs.pop(name, _REQUIRED)
            if given is _REQUIRED:
                given = cls._defaults[name]
            if given is _REQUIRED:
                raise TypeError(f"{cls.__name__} needs {name}")
            put(self, name, given)
        if kwargs:
            raise TypeError(f"{cls.__name__} has no {', '.join(kwargs)}")
        self._check()

    def _check(self) -> None:
        """Raise if the fields make no sense together."""

    def _fields(self) -> tuple[Any, ...]:
        cls = type(self)
        return cls._read(self) if cls._read else tuple([getattr(self, name) for name in cls._names])

    def replace(self, **changes: Any) -> Self:
        """The same value but for *changes*."""
        return type(self)(**(dict(zip(type(self)._names, self._fields(), strict=True)) | changes))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is a value and does not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is a value and does not change")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), self._fields()))

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in type(self)._names if name not in type(self)._hidden)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._fields()
