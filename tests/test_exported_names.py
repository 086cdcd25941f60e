"""What may be imported, and that each of it says what it is."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pkgutil import walk_packages

import pytest

import registryauth

MODULES = sorted(found.name for found in walk_packages(registryauth.__path__, "registryauth."))


def _public(module):
    """The functions and classes that *module* defines under a public name, and their public members."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(thing):
            yield name, thing
        elif inspect.isclass(thing):
            yield name, thing
            for member, value in vars(thing).items():
                function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
                if not member.startswith("_") and inspect.isfunction(function):
                    yield f"{name}.{member}", function


def test_the_public_names_are_these():
    assert registryauth.__all__ == [
        "Address", "Anonymous", "AsyncClient", "Basic", "Client", "Digest", "Error", "IdentityToken", "Kind", "PullSecret", "Reference",
        "Registry", "RegistryAuth", "RegistryToken", "Repository", "Resolver", "errors", "exports", "kind_of",
        "resolve",
    ]  # fmt: skip


@pytest.mark.parametrize("name", registryauth.__all__)
def test_each_public_name_is_there_and_at_home_where_it_says(name):
    thing = getattr(registryauth, name)
    assert thing is not None
    home = registryauth._HOMES.get(name)
    assert home is None or getattr(import_module(f"registryauth.{home}"), name) is thing


def test_what_is_importable_is_what_is_listed():
    assert set(registryauth._HOMES) | {"errors", "exports"} == set(registryauth.__all__)
    assert dir(registryauth) == sorted([*registryauth.__all__, "__version__"])
    namespace = {}
    exec("from registryauth import *", namespace)
    assert set(namespace) - {"__builtins__"} == set(registryauth.__all__)


def test_another_name_is_an_attribute_error_that_says_so():
    with pytest.raises(AttributeError, match=r"module 'registryauth' has no attribute 'login'"):
        _ = registryauth.login
    with pytest.raises(ImportError):
        exec("from registryauth import login")


def test_the_version_is_a_version():
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+(?:\.dev[0-9]+)?", registryauth.__version__)


def test_the_example_in_the_package_s_documentation_compiles():
    compile(registryauth.__doc__.partition("\n")[2], "registryauth", "exec")


@pytest.mark.parametrize("name", MODULES)
def test_every_module_and_every_public_function_and_class_is_documented(name):
    if name.endswith("__main__"):
        return
    module = import_module(name)
    assert module.__doc__, name
    undocumented = [member for member, thing in _public(module) if not _documented(thing, member, module)]
    assert undocumented == []


def _documented(thing, member, module):
    """Whether it has a docstring of its own; a method that implements a documented one of its class's bases needs none."""
    if thing.__doc__:
        return True
    owner, dot, method = member.partition(".")
    return bool(dot) and any(getattr(base, method, None) is not None for base in getattr(module, owner).__mro__[1:])


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_what_a_module_lists_as_its_own_is_there(name):
    module = import_module(name)
    for listed in getattr(module, "__all__", ()):
        assert hasattr(module, listed), listed
