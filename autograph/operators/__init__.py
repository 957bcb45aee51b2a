"""What generated code calls as `ag__.…`: hooks do as Python does on Python values, and stage on staged ones."""

import builtins

from autograph.operators import array_lists as array_lists  # registers what it stands in for
from autograph.operators import list_searches as list_searches  # the same
from autograph.operators import math_forms as math_forms  # the same
from autograph.operators import new_arrays as new_arrays  # the same
from autograph.operators import py_builtins as py_builtins  # the same
from autograph.operators import quick as quick
from autograph.operators.asserts import assert_stmt, raised
from autograph.operators.branches import and_, if_exp, if_stmt, not_, or_
from autograph.operators.calls import callee
from autograph.operators.comparisons import eq, gt, gt_e, lt, lt_e, not_eq, unpack
from autograph.operators.comprehensions import dict_comp, generator_exp, list_comp, set_comp
from autograph.operators.contents import in_place
from autograph.operators.for_loops import for_stmt
from autograph.operators.frames import f_back
from autograph.operators.items import aug_attr, aug_item, del_attr, del_item, get_item, set_attr, set_item
from autograph.operators.matching import (
    match_argument,
    match_class,
    match_mapping,
    match_rest,
    match_sequence,
    match_star,
)
from autograph.operators.membership import in_, is_, is_not, not_in
from autograph.operators.places import UNDEFINED as undefined
from autograph.operators.printing import percent, text
from autograph.operators.quick import (
    ALTERNATIVES,
    FRESH,
    HOLDERS,
    INDEXED,
    INDICES,
    METHODS,
    NUMBERS,
    READ,
    TRUTHS,
)
from autograph.operators.rows import RESTS, for_rest, guarded, row
from autograph.operators.tries import try_stmt
from autograph.operators.truth import truth_of
from autograph.operators.while_loops import ask, while_rest, while_stmt

quick.namespace = globals()
globals().update({name: getattr(builtins, name) for name in quick.OWN_NAMES})
quick.show()
kind = type
local = object  # the annotation that declares a local of the enclosing function: `y: ag__.local`

__all__ = [
    "ALTERNATIVES",
    "FRESH",
    "HOLDERS",
    "INDEXED",
    "INDICES",
    "METHODS",
    "NUMBERS",
    "READ",
    "RESTS",
    "TRUTHS",
    "and_",
    "ask",
    "assert_stmt",
    "aug_attr",
    "aug_item",
    "callee",
    "del_attr",
    "del_item",
    "dict_comp",
    "eq",
    "f_back",
    "for_rest",
    "for_stmt",
    "generator_exp",
    "get_item",
    "gt",
    "gt_e",
    "guarded",
    "if_exp",
    "if_stmt",
    "in_",
    "in_place",
    "is_",
    "is_not",
    "kind",
    "list_comp",
    "local",
    "lt",
    "lt_e",
    "match_argument",
    "match_class",
    "match_mapping",
    "match_rest",
    "match_sequence",
    "match_star",
    "not_",
    "not_eq",
    "not_in",
    "or_",
    "percent",
    "raised",
    "row",
    "set_attr",
    "set_comp",
    "set_item",
    "text",
    "truth_of",
    "try_stmt",
    "undefined",
    "unpack",
    "while_rest",
    "while_stmt",
]
