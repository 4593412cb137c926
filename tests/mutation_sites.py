"""What a mutant is: one change of one site of the syntax tree of a module of verification/proofs/."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

PROOFS = Path(__file__).resolve().parent.parent / "verification" / "proofs"
SHOWN = 100  # characters of the code before and after

SWAPS: dict[type[ast.AST], tuple[Any, ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,), ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,), ast.Pow: (ast.Mult,), ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,),
    ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,), ast.And: (ast.Or,), ast.Or: (ast.And,),
}  # fmt: skip
TWINS = {
    "min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum", "maximum": "minimum",
    "upward": "downward", "downward": "upward",
}  # fmt: skip
DROPPED = {"abs", "_up", "sqrt", "fabs", "_outward", "sorted"}  # a call that becomes its first argument


@dataclass(frozen=True)
class Mutant:
    """One change: which module, which site of the walk, where it stands, what it was and became."""

    module: str
    site: int
    line: int
    within: str
    before: str
    after: str

    @property
    def key(self) -> tuple[str, ...]:
        """What names it when lines have moved."""
        return self.module, self.within, self.before, self.after


class Mutator(ast.NodeTransformer):
    """Walk a module's tree and make the change of one site; without a target, only count and describe."""

    def __init__(self, module: str, target: int = -1) -> None:
        self.module, self.target = module, target
        self.found: list[Mutant] = []
        self._within: list[str] = []

    def visit(self, node: ast.AST) -> Any:
        """Try every change of this node, then go on below."""
        for new in changes(node):
            site = len(self.found)
            after = ast.unparse(ast.fix_missing_locations(new))[:SHOWN]
            line, within = getattr(node, "lineno", 0), ".".join(self._within)
            self.found.append(Mutant(self.module, site, line, within, ast.unparse(node)[:SHOWN], after))
            if site == self.target:
                return ast.copy_location(new, node)
        named = isinstance(node, ast.FunctionDef | ast.ClassDef)
        if named:
            self._within.append(node.name)  # type: ignore[attr-defined]
        below = self.generic_visit(node) if not skipped(node) else node
        if named:
            self._within.pop()
        return below

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """No annotations."""
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """As the base class, but not into annotations and decorators."""
        kept = {
            name: getattr(node, name)
            for name in ("annotation", "returns", "decorator_list")
            if hasattr(node, name)
        }
        for name in kept:
            setattr(node, name, [] if name == "decorator_list" else None)
        super().generic_visit(node)
        for name, value in kept.items():
            setattr(node, name, value)
        return node


def skipped(node: ast.AST) -> bool:
    """Imports, texts, messages of exceptions: nothing there is arithmetic."""
    if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in node.targets):
        return True
    return isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr | ast.Raise)


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every changed version of a node."""
    if isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            for other in SWAPS.get(type(op), ()):
                ops = [*node.ops[:k], other(), *node.ops[k + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BinOp):
        for other in SWAPS.get(type(node.op), ()):
            yield ast.BinOp(node.left, other(), node.right)
        if isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
            yield node.left  # the right term dropped
    elif isinstance(node, ast.BoolOp):
        for other in SWAPS[type(node.op)]:
            yield ast.BoolOp(other(), node.values)
        yield from (ast.BoolOp(node.op, node.values[:k] + node.values[k + 1 :]) if len(node.values) > 2
                    else node.values[1 - k] for k in range(len(node.values)))  # fmt: skip
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from constants(node.value)
    elif isinstance(node, ast.Call):
        yield from calls(node)
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        yield negated(node)
    elif isinstance(node, ast.AugAssign):
        for other in SWAPS.get(type(node.op), ()):
            yield ast.AugAssign(node.target, other(), node.value)
        yield ast.Pass()
    elif isinstance(node, ast.Raise | ast.Continue | ast.Break) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield ast.Pass()


def constants(value: object) -> Iterator[ast.AST]:
    """Yield other numbers and flags; texts stay."""
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, float):
        yield ast.Constant(2 * value or 1.0)


def calls(node: ast.Call) -> Iterator[ast.AST]:
    """Yield the twin of a function, or its argument alone."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in TWINS:
        twin = ast.Name(TWINS[name], ast.Load())
        func = (
            ast.Attribute(node.func.value, TWINS[name], ast.Load())
            if isinstance(node.func, ast.Attribute)
            else twin
        )
        yield ast.Call(func, node.args, node.keywords)
    if name in DROPPED and node.args:
        yield node.args[0]


def negated(node: Any) -> ast.AST:
    """Return the same `if`, `while` or conditional expression with its condition turned round."""
    turned: ast.AST = type(node)(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    return turned


def mutants(module: str) -> list[Mutant]:
    """Return every mutant of a module of proofs; those that look alike within a function are numbered."""
    walk = Mutator(module)
    walk.visit(ast.parse((PROOFS / f"{module}.py").read_text(encoding="utf-8")))
    seen: Counter[tuple[str, ...]] = Counter()
    made = []
    for mutant in walk.found:
        seen[mutant.key] += 1
        nth = seen[mutant.key]
        made.append(mutant if nth == 1 else replace(mutant, within=f"{mutant.within} ({nth})"))
    return made


def mutated(module: str, site: int) -> str:
    """Return the source of a module with the change of one site."""
    tree = ast.parse((PROOFS / f"{module}.py").read_text(encoding="utf-8"))
    return ast.unparse(ast.fix_missing_locations(Mutator(module, site).visit(tree)))


def modules() -> list[str]:
    """Return every module of proofs."""
    return sorted(path.stem for path in PROOFS.glob("*.py") if path.stem != "__init__")
