"""Every text of an error that the code can say, read from the code itself.

A text is a template: what is put in at run time stands as `{}`. Constants, conditions, additions,
tables of texts, what functions return and what their callers pass are followed; what cannot be is
an expression that gives `{}` alone.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEEPEST = 8
PARTS_OF_A_FINDING = 3
"""Place, problem, hint."""
VALIDATORS = ("etl/catalog/", "etl/settings.py")
"""Where a `ValueError` reaches people through pydantic."""


class Code:
    """The syntax trees of some modules."""

    def __init__(self, paths: list[Path]) -> None:
        self.trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
        self.functions: dict[str, list[ast.FunctionDef]] = defaultdict(list)
        self.calls: dict[str, list[ast.Call]] = defaultdict(list)
        self.constants: dict[str, list[ast.expr]] = defaultdict(list)
        self.home: dict[ast.AST, ast.FunctionDef | None] = {}
        self.within: list[ast.expr] = []
        for tree in self.trees.values():
            self._register(tree, None)
            for node in tree.body:
                for name, value in _assigned(node):
                    self.constants[name].append(value)

    def _register(self, node: ast.AST, home: ast.FunctionDef | None) -> None:
        self.home[node] = home
        if isinstance(node, ast.FunctionDef):
            self.functions[node.name].append(node)
            home = node
        if isinstance(node, ast.Call):
            self.calls[_last_name(node.func)].append(node)
        for child in ast.iter_child_nodes(node):
            self._register(child, home)

    @cached_property
    def errors(self) -> set[str]:
        """Names of `ForesightError` and the classes made from it."""
        found = {"ForesightError"}
        while True:
            more = {
                node.name
                for node in self.home
                if isinstance(node, ast.ClassDef) and {_last_name(b) for b in node.bases} & found
            }
            if more <= found:
                return found - {"Problems"}
            found |= more

    @cached_property
    def spoken(self) -> list[ast.expr]:
        """Every expression that becomes the problem or the hint of an error."""
        return list(self._spoken())

    def _spoken(self) -> Iterator[ast.expr]:
        for node, home in self.home.items():
            if isinstance(node, ast.Call) and _last_name(node.func) in self.errors:
                yield from node.args[:1]
                yield from (word.value for word in node.keywords if word.arg == "hint")
            elif home and _finds(home):
                yield from self._findings(node)
        for path in self.trees:
            if path.relative_to(ROOT).as_posix().startswith(VALIDATORS):
                yield from _value_errors(self.trees[path])

    def _findings(self, node: ast.AST) -> Iterator[ast.expr]:
        if isinstance(node, ast.Yield) and node.value:
            yield from self._finding(node.value)
        if isinstance(node, ast.Return) and node.value:
            for inside in ast.walk(node.value):
                if isinstance(inside, ast.Tuple) and len(inside.elts) == PARTS_OF_A_FINDING:
                    yield from self._finding(inside)

    def _finding(self, value: ast.expr) -> Iterator[ast.expr]:
        parts = value.elts[1:] if isinstance(value, ast.Tuple) else []
        for part in parts:
            if isinstance(part, ast.Starred) and isinstance(part.value, ast.Call):
                for function in self.functions[_last_name(part.value.func)]:
                    for returned in _returned(function):
                        yield from returned.elts if isinstance(returned, ast.Tuple) else ()
            else:
                yield part

    @cached_property
    def templates(self) -> set[str]:
        """Every text that is a whole problem or a whole hint."""
        found = {text for part in self.spoken for text in self.texts(part)}
        return {text for text in found if _has_words(text)}

    def phrases(self) -> set[str]:
        """Every text that a call puts into another."""
        assert self.templates  # looking for them fills `within`
        found: set[str] = set()
        for part in self.within:  # grows as it is gone through
            found |= self.texts(part)
        return {text for text in found if _has_words(text)}

    def unseen(self) -> set[str]:
        """Problems and hints of which nothing can be told."""
        return {ast.unparse(part) for part in self.spoken if "{}" in self.texts(part)}

    def texts(self, part: ast.expr, depth: int = 0) -> set[str]:
        """The templates an expression may give."""
        if depth > DEEPEST:
            return {"{}"}
        match part:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.IfExp(body=one, orelse=other):
                return self.texts(one, depth) | self.texts(other, depth)
            case ast.BoolOp(op=ast.Or(), values=values):
                return {text for value in values for text in self.texts(value, depth)}
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return _joined([self.texts(left, depth), self.texts(right, depth)])
            case ast.JoinedStr(values=values):
                return _joined([self._put_in(value, depth) for value in values])
        return self._looked_for(part, depth + 1) or {"{}"}

    def _looked_for(self, part: ast.expr, depth: int) -> set[str]:
        """What stands elsewhere under a name, in a table, or is returned; nothing if unknown."""
        match part:
            case ast.Name():
                return self._named(part, depth)
            case ast.Subscript(value=table):
                return self._of_table(table, depth)
            case ast.Call():
                return self._called(part, depth)
        return set()

    def _put_in(self, value: ast.expr, depth: int) -> set[str]:
        if not isinstance(value, ast.FormattedValue):
            return self.texts(value, depth)
        inner = value.value
        if value.conversion != -1 or value.format_spec:
            return {"{}"}
        if isinstance(inner, ast.Call | ast.Subscript):
            if inner not in self.within:
                self.within.append(inner)
            return {"{}"}
        if isinstance(inner, ast.Name) and any(
            isinstance(v, ast.Call) for v in self._values(inner)
        ):
            self.within += [v for v in self._values(inner) if v not in self.within]
            return {"{}"}
        return {text if _has_words(text) or not text else "{}" for text in self.texts(inner, depth)}

    def _values(self, name: ast.Name) -> list[ast.expr]:
        home = self.home.get(name)
        inside = [value for key, value in (_assigned_in(home) if home else ()) if key == name.id]
        return inside or ([] if home and name.id in _parameters(home) else self.constants[name.id])

    def _named(self, name: ast.Name, depth: int) -> set[str]:
        found = {text for value in self._values(name) for text in self.texts(value, depth)}
        home = self.home.get(name)
        if home and name.id in _parameters(home):
            found |= self._passed(home, name.id, depth)
        return found or {"{}"}

    def _passed(self, function: ast.FunctionDef, name: str, depth: int) -> set[str]:
        """What the callers of a function give for one of its parameters."""
        names = _parameters(function)
        found: set[str] = set()
        usual = dict(zip(reversed(names), reversed(function.args.defaults), strict=False))
        if name in usual:
            found |= self.texts(usual[name], depth)
        at = [n for n in names if n not in ("self", "cls")].index(name)
        for call in self.calls[function.name]:
            given = [*call.args[at : at + 1]]
            given += [word.value for word in call.keywords if word.arg == name]
            starred = any(isinstance(argument, ast.Starred) for argument in call.args)
            found |= {"{}"} if starred else {t for g in given for t in self.texts(g, depth)}
        return {text if " " in text else "{}" for text in found}

    def _called(self, call: ast.Call, depth: int) -> set[str]:
        if isinstance(call.func, ast.Attribute) and call.func.attr == "get":
            table = self._of_table(call.func.value, depth)
            usual = {text for value in call.args[1:] for text in self.texts(value, depth)}
            return (table | usual) or {"{}"}
        if not isinstance(call.func, ast.Name):
            return {"{}"}
        functions = self.functions[call.func.id]
        found = [text for f in functions for r in _returned(f) for text in self.texts(r, depth)]
        return set(found) or {"{}"}

    def _of_table(self, table: ast.expr, depth: int) -> set[str]:
        values = self._values(table) if isinstance(table, ast.Name) else []
        return {
            text
            for value in values
            if isinstance(value, ast.Dict)
            for entry in value.values
            for text in self.texts(entry, depth + 1)
        }


def code_of_errors() -> Code:
    """The modules whose errors a command prints."""
    rooms = [ROOT / "etl", ROOT / "forecasts", ROOT / "dashboard"]
    return Code([path for room in rooms for path in sorted(room.rglob("*.py"))])


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.NamedExpr):
        yield node.target.id, node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
        yield node.target.id, node.value
    for target in node.targets if isinstance(node, ast.Assign) else ():
        if isinstance(target, ast.Name):
            yield target.id, node.value
        if isinstance(target, ast.Tuple):
            values = node.value.elts if isinstance(node.value, ast.Tuple) else []
            for name, value in zip(target.elts, values, strict=False):
                if isinstance(name, ast.Name):
                    yield name.id, value


@cache
def _assigned_in(function: ast.FunctionDef) -> list[tuple[str, ast.expr]]:
    return [found for node in ast.walk(function) for found in _assigned(node)]


def _joined(parts: list[set[str]]) -> set[str]:
    return {re.sub(r"(\{\}){2,}", "{}", "".join(chosen)) for chosen in product(*parts)}


def _has_words(text: str) -> bool:
    return any(letter.isalpha() for letter in text)


def _parameters(function: ast.FunctionDef) -> list[str]:
    told = function.args
    return [one.arg for one in (*told.posonlyargs, *told.args, *told.kwonlyargs)]


def _returned(function: ast.FunctionDef) -> list[ast.expr]:
    return [n.value for n in ast.walk(function) if isinstance(n, ast.Return) and n.value]


@cache
def _finds(function: ast.FunctionDef) -> bool:
    told = ast.unparse(function.returns) if function.returns else ""
    return "Finding" in told or "Fault" in told


def _value_errors(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.Raise(exc=ast.Call(func=ast.Name(id="ValueError"), args=arguments)):
                yield from arguments[:1]


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
