"""The engine is numbers: no Odoo, no clock, no randomness, nothing but numpy, pandas, scipy."""

import ast
import pathlib
import subprocess
import sys

import engine

FOLDER = pathlib.Path(engine.__file__).resolve().parent
ALLOWED = {'numpy', 'pandas', 'scipy', *sys.stdlib_module_names} - {
    'time',
    'random',
    'os',
    'secrets',
}
CLOCKS = {'today', 'now', 'utcnow', 'random', 'default_rng', 'seed', 'RandomState'}


def trees():
    return [(path.name, ast.parse(path.read_text())) for path in FOLDER.glob('*.py')]


def test_imports_are_relative_or_of_the_scientific_three():
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert {alias.name.split('.')[0] for alias in node.names} <= ALLOWED, name
            elif isinstance(node, ast.ImportFrom) and not node.level:
                assert node.module.split('.')[0] in ALLOWED, name


def test_no_clock_no_generator_no_global_state():
    for name, tree in trees():
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Global), name
            assert not (isinstance(node, ast.Attribute) and node.attr in CLOCKS), (name, node.attr)


def test_files_and_functions_are_short():
    for name, tree in trees():
        assert len((FOLDER / name).read_text().splitlines()) <= 250, name
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 30, (name, node.name)


def test_a_fresh_interpreter_sees_no_odoo_and_all_that_is_promised():
    code = (
        "import sys, engine; assert not any(m.split('.')[0] == 'odoo' for m in sys.modules); "
        "assert all(hasattr(engine, name) for name in engine.__all__)"
    )
    subprocess.run([sys.executable, '-c', code], check=True, cwd=FOLDER.parent, timeout=60)
