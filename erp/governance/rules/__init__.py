"""Decision tables: what they may say, what is wrong with one, what one answers."""

from erp.governance.rules.checking import Problem, problems_of
from erp.governance.rules.evaluating import CompiledTable, WrongFacts, compile_table
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

__all__ = [
    "BadTable",
    "CompiledTable",
    "Condition",
    "Fact",
    "Hit",
    "Problem",
    "Reference",
    "Row",
    "Schema",
    "Table",
    "WrongFacts",
    "compile_table",
    "problems_of",
    "read_table",
]
