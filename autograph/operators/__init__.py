"""What generated code calls as `ag__.…`: hooks do as Python does on Python values, and stage on staged ones."""

import builtins
import sys
from types import MethodType

from autograph.operators.containers import splices as splices  # registers what comes before content is staged
from autograph.operators.containers.contents import in_place
from autograph.operators.containers.lists import owned
from autograph.operators.expressions import array_iterators as array_iterators  # registers forms
from autograph.operators.expressions import array_lists as array_lists  # registers what it stands in for
from autograph.operators.expressions import array_writers as array_writers  # the same
from autograph.operators.expressions import copies as copies  # the same
from autograph.operators.expressions import list_searches as list_searches  # the same
from autograph.operators.expressions import math_forms as math_forms  # the same
from autograph.operators.expressions import new_arrays as new_arrays  # the same
from autograph.operators.expressions import number_functions as number_functions  # the same
from autograph.operators.expressions import py_builtins as py_builtins  # the same
from autograph.operators.expressions import quantifiers as quantifiers  # the same
from autograph.operators.expressions import slots as slots  # the same
from autograph.operators.expressions import zips as zips  # the same
from autograph.operators.expressions.comparisons import eq, gt, gt_e, lt, lt_e, not_eq, unpack
from autograph.operators.expressions.comprehensions import (
    dict_comp,
    generator_exp,
    inner,
    list_comp,
    passing,
    set_comp,
)
from autograph.operators.expressions.membership import in_, is_, is_not, not_in
from autograph.operators.expressions.stars import joined, spread
from autograph.operators.functions import standard_forms as standard_forms  # registers what it stands in for
from autograph.operators.functions.calls import callee
from autograph.operators.functions.frames import f_back
from autograph.operators.functions.keyed import dict_of, set_of
from autograph.operators.functions.managers import with_stmt
from autograph.operators.items import array_walks as array_walks  # registers what it stands in for
from autograph.operators.items.attributes import aug_attr, del_attr, set_attr
from autograph.operators.items.for_loops import for_stmt
from autograph.operators.items.items import (
    aug_item,
    del_item,
    get_item,
    set_item,
)
from autograph.operators.items.records import node
from autograph.operators.items.rows import RESTS, for_rest, guarded, row, turns
from autograph.operators.state.own_names import OWN, keep_own
from autograph.operators.state.places import UNDEFINED as undefined
from autograph.operators.statements.asserts import assert_stmt, raised
from autograph.operators.statements.branches import and_, if_exp, if_stmt, not_, or_
from autograph.operators.statements.matching import (
    match_argument,
    match_class,
    match_mapping,
    match_rest,
    match_sequence,
    match_star,
)
from autograph.operators.statements.staged_texts import percent, text
from autograph.operators.statements.trials import ask
from autograph.operators.statements.tries import EVERYTHING, try_stmt
from autograph.operators.statements.truth import truth_of
from autograph.operators.statements.unused import unused
from autograph.operators.statements.while_loops import look, while_rest, while_stmt
from autograph.operators.values import quick as quick
from autograph.operators.values.quick import (
    ALTERNATIVES,
    FRESH,
    HOLDERS,
    INDEXED,
    INDICES,
    KEYS,
    METHODS,
    NUMBERS,
    POSING,
    READ,
    ROWS,
    SIMPLE,
    STANDING_IN,
    TRUTHS,
)

quick.namespace = globals()
globals().update({name: getattr(builtins, name) for name in quick.OWN_NAMES})
quick.show()
for _name in ("all", "any", "getattr", "hasattr", "isinstance", "issubclass", "iter", "next", *quick.OWN_NAMES):
    OWN[_name] = getattr(builtins, _name)
for _name, _module in tuple(sys.modules.items()):
    if _name.startswith((__name__ + ".", "runtime.tensor.")):
        keep_own(_module)
kind = type
METHOD = MethodType
local = object  # the annotation that declares a local of the enclosing function: `y: ag__.local`

__all__ = [
    "ALTERNATIVES",
    "EVERYTHING",
    "FRESH",
    "HOLDERS",
    "INDEXED",
    "INDICES",
    "KEYS",
    "METHOD",
    "METHODS",
    "NUMBERS",
    "POSING",
    "READ",
    "RESTS",
    "ROWS",
    "SIMPLE",
    "STANDING_IN",
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
    "dict_of",
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
    "inner",
    "is_",
    "is_not",
    "joined",
    "kind",
    "list_comp",
    "local",
    "look",
    "lt",
    "lt_e",
    "match_argument",
    "match_class",
    "match_mapping",
    "match_rest",
    "match_sequence",
    "match_star",
    "node",
    "not_",
    "not_eq",
    "not_in",
    "or_",
    "owned",
    "passing",
    "percent",
    "raised",
    "row",
    "set_attr",
    "set_comp",
    "set_item",
    "set_of",
    "spread",
    "text",
    "truth_of",
    "try_stmt",
    "turns",
    "undefined",
    "unpack",
    "unused",
    "while_rest",
    "while_stmt",
    "with_stmt",
]
