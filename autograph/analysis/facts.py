"""Facts beside the tree: asked for by class of analysis, kept until the tree changes; never on its nodes."""

from typing import TypeVar

from autograph.source.parse import Node

_A = TypeVar("_A", bound="Analysis")


class Analysis:
    """What one analysis found out about one function.

    A subclass does its work in `__init__` or lazily; it may ask `facts` for other analyses of
    the same function. Its answers are about node objects, so they hold until the tree changes.
    """

    def __init__(self, function: Node, facts: "Facts") -> None:
        self.function = function
        self.facts = facts


class Facts:
    """The analyses made so far.

    >>> from autograph.analysis.activity import Activity
    >>> from autograph.source.parse import parse
    >>> function = parse("def f(a):\\n    b = a").body[0]
    >>> facts = Facts()
    >>> sorted(facts.get(Activity, function).locals)
    ['a', 'b']
    >>> facts.get(Activity, function) is facts.get(Activity, function)
    True
    """

    def __init__(self) -> None:
        self._known: dict[tuple[type, int], Analysis] = {}

    def get(self, analysis: type[_A], function: Node) -> _A:
        """The analysis of this class for `function`, made now or kept from before."""
        key = analysis, id(function)
        found = self._known.get(key)
        if not isinstance(found, analysis):  # the analysis keeps its function alive: no id is used twice
            found = analysis(function, self)
            self._known[key] = found
        return found

    def forget(self) -> None:
        """Drop everything: the tree has changed."""
        self._known.clear()
