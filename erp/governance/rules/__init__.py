"""Decision tables: what they may say, what is wrong with one, what one answers."""

from erp.governance.rules.checking import Problem, lint, problems_of
from erp.governance.rules.comparing import RowChange, compare, differing
from erp.governance.rules.evaluating import CompiledTable, WrongFacts, compile_table
from erp.governance.rules.limits import BadLimits, beyond_limits, read_limits
from erp.governance.rules.standing import BEGINNING, EVERYBODY, Scope, Term, in_force, nearest
from erp.governance.rules.tables import (
    BadTable,
    Condition,
    Fact,
    Hit,
    Reference,
    Row,
    Schema,
    Table,
    read_table,
)
from erp.governance.rules.traits import BadTraits, Traits, declared, traits_of

__all__ = [
    "BEGINNING",
    "EVERYBODY",
    "BadLimits",
    "BadTable",
    "BadTraits",
    "CompiledTable",
    "Condition",
    "Fact",
    "Hit",
    "Problem",
    "Reference",
    "Row",
    "RowChange",
    "Schema",
    "Scope",
    "Table",
    "Term",
    "Traits",
    "WrongFacts",
    "beyond_limits",
    "compare",
    "compile_table",
    "declared",
    "differing",
    "in_force",
    "lint",
    "nearest",
    "problems_of",
    "read_limits",
    "read_table",
    "traits_of",
]
