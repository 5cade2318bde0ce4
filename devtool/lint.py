"""./dev lint and ./dev i18n: style, Odoo's rules, and whether every term is translated."""

import subprocess

from devtool.common import CONFIG, HOME, PYTHON, ROOT, run_logged, say, step
from devtool.databases import addons, task, template_database
from devtool.setup import enter


def command_lint(options):
    enter(options)
    faults = program_faults("ruff", "check", ".")
    faults += program_faults("pylint", "--rcfile=.pylintrc", *addons())
    database = template_database(addons())
    with step("Odoo's own lint, on our addons"):
        answer = task("lint", "lint.log", database=database, addons=addons())
    say("\n".join(answer["details"]))
    faults += answer["failures"]
    with step("translations"):
        faults += [fault for addon in addons() for fault in translation_faults(addon, database)]
    for fault in faults:
        say(f"LINT {fault}")
    say(f"\n{len(faults)} lint failures")
    return 1 if faults else 0


def program_faults(program, *arguments):
    with step(program):
        code = subprocess.run([PYTHON, "-m", program, *arguments], cwd=ROOT).returncode
    return [f"{program}: see above"] if code else []


def export_terms(addon, database, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [PYTHON, "-m", "odoo", "i18n", "export", "-c", CONFIG, "-d", database]
    command += ["-l", "pot", "-o", target, addon]
    run_logged(command, "i18n.log", f"The terms of {addon} could not be exported")


def translation_faults(addon, database):
    import polib

    exported = HOME / "i18n" / f"{addon}.pot"
    export_terms(addon, database, exported)
    folder = ROOT / addon / "i18n"
    terms = {entry.msgid for entry in polib.pofile(str(exported))} if exported.is_file() else set()
    faults = []
    for name in (f"{addon}.pot", "zh_CN.po") if terms else ():
        kept = polib.pofile(str(folder / name)) if (folder / name).is_file() else ()
        missing = terms - {entry.msgid for entry in kept if not entry.obsolete}
        if missing:
            faults.append(f"{addon}/i18n/{name} lacks {len(missing)} terms: ./dev i18n")
        if name.endswith(".po") and untranslated(kept):
            faults.append(f"{addon}/i18n/{name}: {len(untranslated(kept))} terms untranslated")
    return faults


def untranslated(entries):
    return [entry for entry in entries if not entry.obsolete and not entry.translated()]


def command_i18n(options):
    enter(options)
    import polib

    database = template_database(addons())
    for addon in addons():
        target = ROOT / addon / "i18n" / f"{addon}.pot"
        export_terms(addon, database, target)
        if not target.is_file():
            say(f"{addon}: no terms")
            continue
        path = target.with_name("zh_CN.po")
        chinese = polib.pofile(str(path)) if path.is_file() else new_translation()
        chinese.merge(polib.pofile(str(target)))
        chinese.save(str(path))
        todo = untranslated(chinese)
        say(f"{addon}: {len(chinese) - len(todo)} terms, {len(todo)} untranslated")
        for entry in todo:
            say(f"  {entry.msgid[:90]!r}")


def new_translation():
    import polib

    chinese = polib.POFile()
    chinese.metadata = {
        "Language": "zh_CN",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
    }
    return chinese
