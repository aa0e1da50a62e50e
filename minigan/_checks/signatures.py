"""Checks by annotation: reading a signature, and checking the arguments of each call by it."""

import functools
import inspect
import operator
import types
import typing
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import numpy as np

from .objects import flag, function, instance, list_of, one_of
from .words import Rule

T = TypeVar("T", bound=Callable[..., Any])
NOT_HERE = "lr belongs to an optimizer: minigan.GAN(..., generator_optimizer=Adam(lr=...))"
Relation = Callable[[Any, str, dict[str, Any]], None]  # relation(owner, name, arguments)


def checked(target: T) -> T:
    """The function, its arguments checked and converted by the rules of their annotations; or the
    class, its constructor and its public methods checked like this."""
    if isinstance(target, type):
        for name, method in list(vars(target).items()):
            if inspect.isfunction(method) and (name == "__init__" or name[0] != "_"):
                setattr(target, name, checked(method))
        return target
    signature = inspect.signature(target)
    annotations = {name: p.annotation for name, p in signature.parameters.items()}
    found = {name: rule_of(annotation) for name, annotation in annotations.items()}
    rules = {name: rule for name, rule in found.items() if rule is not None}
    relations = [(n, each) for n, a in annotations.items() for each in relations_of(a)]
    if not rules:
        return target
    name, of_object, code = target.__name__, "self" in signature.parameters, target.__code__

    @functools.wraps(target)
    def checking(*args: Any, **kwargs: Any) -> Any:
        owner = f"{type(args[0]).__name__}.{name}" if of_object and args else name
        owner = owner.removesuffix(".__init__")
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:  # a missing or an unknown argument, and which
            if target.__code__ is not code:  # the bug museum has edited the signature
                return target(*args, **kwargs)
            not_here = "lr" in kwargs and "lr" not in signature.parameters
            raise TypeError(f"{owner}: {NOT_HERE if not_here else error}") from None
        bound.apply_defaults()
        for parameter, rule in rules.items():
            value = bound.arguments[parameter]
            bound.arguments[parameter] = rule(owner, parameter, value)
        for parameter, relation in relations:
            relation(owner, parameter, bound.arguments)
        return target(*bound.args, **bound.kwargs)

    setattr(checking, "__signature__", without_rules(signature))  # noqa: B010
    return typing.cast(T, checking)


class CheckedConstructors:
    """A base class for a family: the constructors of all its classes are `checked`."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            setattr(cls, "__init__", checked(cls.__init__))  # noqa: B010


def rule_of(annotation: Any) -> Rule | None:
    """The rule of an annotation: that of an `Annotated` type; True or False for a bool; for a
    Literal one of its strings; for a class an instance of it, for a Sequence[Class] a list of
    instances, for a Callable a function.

    None for what says too little or is checked further down: plain numbers, strings, arrays."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return annotation.__metadata__[0]
    if origin is Literal:
        return one_of(*inside)
    if origin in (types.UnionType, typing.Union):
        alternatives = [rule_of(each) for each in inside if each is not type(None)]
        optional = len(alternatives) == 1 < len(inside) and alternatives[0] is not None
        return functools.partial(_unless_none, alternatives[0]) if optional else None
    if annotation is Callable or origin is Callable:
        return function
    if origin is Sequence and isinstance(inside[0], type):
        return functools.partial(list_of, inside[0])
    if annotation is bool:
        return flag
    unchecked = (Any, int, float, str, object, type(None), np.ndarray)
    if isinstance(annotation, type) and annotation not in unchecked and origin is None:
        return None if annotation is inspect.Parameter.empty else instance(annotation)
    return None


def relations_of(annotation: Any) -> list[Relation]:
    """What an `Annotated` type says after its rule: how the argument goes with those before it."""
    return list(annotation.__metadata__[1:]) if get_origin(annotation) is Annotated else []


def without_rules(signature: inspect.Signature) -> inspect.Signature:
    """What `help` shows: the types alone."""
    parameters = signature.parameters.values()
    plain = [p.replace(annotation=type_of(p.annotation)) for p in parameters]
    return signature.replace(parameters=plain)


def type_of(annotation: Any) -> Any:
    """The annotation, an `Annotated` type in it replaced by the type that it annotates."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_of(inside[0])
    if origin in (types.UnionType, typing.Union):
        return functools.reduce(operator.or_, map(type_of, inside))
    return annotation


def _unless_none(rule, owner, name, value):
    return None if value is None else rule(owner, name, value)
