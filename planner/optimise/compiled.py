"""How the inner loops are compiled, and how they are handed many arrays at the price of one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from numba import njit, types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, models, register_model

F = TypeVar("F", bound=Callable[..., Any])
MODULES: Final = ("anneal", "compiled", "grow", "loose", "moves", "pieces", "pricing", "state", "terrain")
"""Modules whose functions call each other in compiled form."""


def compiled(function: F) -> F:
    """Compile to machine code, cached on disk, without the interpreter lock and without reference counting.

    The functions marked so allocate nothing. Counting references to the many arrays of a draft would take
    most of the time (measured on 300 parcels: 1.7 s against 0.2 s for 100 000 moves).

    What is cached holds all `inner` functions that are called: it is out of date when any of `MODULES` has changed,
    while numba looks at the file of the function only.
    """
    marked: Any = _marked(function, cache=True, no_cfunc_wrapper=True)
    cached = marked._cache._cache_file
    cached._source_stamp = (cached._source_stamp, _sources())
    return marked  # type: ignore[no-any-return]


@cache
def _sources() -> str:
    """Digest of the modules that are compiled together."""
    here = Path(__file__).parent
    return hashlib.sha256(b"".join((here / f"{name}.py").read_bytes() for name in MODULES)).hexdigest()


def inner(function: F) -> F:
    """The same for functions that only compiled code calls: neither cached nor given a way in from Python."""
    return _marked(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _marked(function: F, **more: bool) -> F:
    """Division by zero gives infinity, as in numpy: no test for it is compiled.

    Whole numbers are passed as 64 bits whatever array they come from, so that no function is compiled twice for the
    sake of its arguments.
    """
    options: Any = {"nogil": True, "error_model": "numpy", "_nrt": False} | more
    marked: Any = njit(**options)(function)
    compile_exactly = marked.compile
    marked.compile = lambda signature: compile_exactly(tuple(_widened(kind) for kind in signature))
    return marked  # type: ignore[no-any-return]


def _widened(kind: Any) -> Any:
    """The type itself, or that of 64-bit integers for an integer or a constant."""
    plain = types.unliteral(kind)  # type: ignore[no-untyped-call]
    return types.int64 if isinstance(plain, types.Integer) else plain


class Reference(types.Type):
    """Numba type of a pointer to a named tuple.

    Numba passes a named tuple by value: with some thirty arrays that is two hundred arguments to every call, slow to
    compile and to run.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Reference({dtype.instance_class.__name__})")

    @property
    def key(self) -> Any:
        """What makes two references the same type."""
        return self.dtype


register_model(Reference)(models.PointerModel)


@infer_getattr
class _Fields(AttributeTemplate):
    """Type of a field."""

    key = Reference

    def generic_resolve(self, kind: Any, name: str) -> Any:  # type: ignore[override]
        fields = kind.dtype.fields
        return kind.dtype.types[fields.index(name)] if name in fields else None


@lower_getattr_generic(Reference)  # type: ignore[untyped-decorator, no-untyped-call]
def _load_field(context: Any, builder: Any, kind: Any, value: Any, name: str) -> Any:
    at = kind.dtype.fields.index(name)
    place = cgutils.gep_inbounds(builder, value, 0, at)  # type: ignore[no-untyped-call]
    return context.data_model_manager[kind.dtype.types[at]].load_from_data_pointer(builder, place)


def _refer(_context: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        model = context.data_model_manager[signature.args[0]]
        place = cgutils.alloca_once(builder, model.get_data_type())  # type: ignore[no-untyped-call]
        builder.store(model.as_data(builder, args[0]), place)
        return place

    return Reference(value)(value), generate


by_reference: Any = intrinsic(_refer)
"""Reference to a named tuple, good until the function that asked for it returns (compiled code only)."""
