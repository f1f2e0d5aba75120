"""Updates at random: what a person wrote must all be there afterwards.

    python -m tests.update.fuzz 1000 [--seed 0] [--without-copier]

Each case takes some files of the skeleton through two to four releases (lines, files, names and
questions change), lets a person work on the project that the first one makes, and updates it to the
last one; then it does the same with plain `copier update`. Every line that the person wrote is
unlike all others; it is lost when no file of the project has it any more.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.generate import ROOT
from tests.support.releases import commit, git, repository

ANSWERS = "{{_copier_conf.answers_file}}.jinja"
SKELETON = ROOT / "templates" / "service"
BRACES = frozenset("{}")  # lines with these may be part of a statement over several lines


@dataclass
class Outcome:
    """What became of one project."""

    lost: set[str] = field(default_factory=set)  # lines of the person's that are nowhere
    wrong: list[str] = field(default_factory=list)  # what else a merge must not do
    conflicts: int = 0  # files that a person has to finish
    seconds: float = 0.0
    refused: bool = False  # before anything was touched


@dataclass
class Totals:
    """Over all cases."""

    runs: int = 0
    lines: int = 0
    lost: int = 0
    hit: int = 0  # projects that lost something
    conflicts: int = 0
    refused: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def add(self, seed: int, lines: int, outcome: Outcome) -> None:
        self.runs += 1
        self.lines += lines
        self.lost += len(outcome.lost)
        self.hit += bool(outcome.lost)
        self.conflicts += outcome.conflicts
        self.refused += outcome.refused
        self.seconds += outcome.seconds
        self.wrong += [f"seed {seed}: {what}" for what in outcome.wrong]
        self.wrong += [f"seed {seed}: lost {line}" for line in sorted(outcome.lost)]

    def __str__(self) -> str:
        return (
            f"{self.runs} updates of {self.lines} lines: {self.lost} lost in {self.hit} projects, "
            f"{self.conflicts} files in conflict, {self.refused} refused, "
            f"{self.seconds / max(self.runs, 1):.2f} s an update"
        )


# --- the template's author


class Template:
    """A template repository with a tag for each release."""

    def __init__(self, rng: random.Random, folder: Path, name: str) -> None:
        self.rng, self.root = rng, folder
        self.files = folder / "templates" / "service"
        self.number = 0
        self.home = f"gh:eventgen/{name}"
        self.files.mkdir(parents=True)
        chosen = [path for path in SKELETON.rglob("*") if path.is_file() and path.stat().st_size]
        for path in rng.sample(sorted(chosen), 7):
            self.write(path.relative_to(SKELETON).as_posix(), path.read_text("utf-8"))
        self.write(ANSWERS, (SKELETON / ANSWERS).read_text("utf-8"))
        self.questions = (ROOT / "copier.yml").read_text("utf-8")
        self.questions = self.questions.replace("gh:eventgen/eventgen", self.home)
        self.versions = ["0.1.0"]
        git(folder, "init", "--quiet", "--initial-branch=main")
        self.release("0.1.0")

    def write(self, path: str, text: str) -> None:
        (self.files / path).parent.mkdir(parents=True, exist_ok=True)
        (self.files / path).write_text(text, encoding="utf-8", newline="\n")

    def release(self, version: str) -> None:
        text = self.questions.replace('default: "0.1.0"', f'default: "{version}"')
        (self.root / "copier.yml").write_text(text, encoding="utf-8")
        commit(self.root)
        git(self.root, "tag", f"v{version}")

    def paths(self) -> list[str]:
        found = (path for path in self.files.rglob("*") if path.is_file())
        names = (path.relative_to(self.files).as_posix() for path in found)
        return sorted(name for name in names if name != ANSWERS)

    def evolve(self) -> None:
        """One release more."""
        for path in self.paths():
            roll = self.rng.random()
            if roll < 0.08:
                (self.files / path).unlink()
                continue
            name = self.rename(path) if roll < 0.22 else path
            for _ in range(self.rng.choice([0, 1, 1, 2, 4])):
                self.change(name)
        if self.rng.random() < 0.5:
            self.write(f"added/f{self.rng.randrange(3)}.txt", "theirs\n" * self.rng.randint(1, 5))
        if self.rng.random() < 0.3:
            self.number += 1
            self.questions += f'\nasked_{self.number}:\n  type: str\n  default: "x{self.number}"\n'
            self.write(f"asked{self.number}.txt.jinja", f"{{{{ asked_{self.number} }}}}\n")
        version = f"0.{len(self.versions) + 1}.0"
        self.versions.append(version)
        self.release(version)

    def rename(self, path: str) -> str:
        self.number += 1
        name = self.rng.choice(["", "etc/", "docs/deep/"]) + f"r{self.number}.jinja"
        self.write(name, (self.files / path).read_text("utf-8"))
        (self.files / path).unlink()
        return name

    def change(self, path: str) -> None:
        lines = (self.files / path).read_text("utf-8").splitlines()
        plain = [at for at, line in enumerate(lines) if not BRACES & set(line)]
        if not plain:
            return
        at = self.rng.choice(plain)
        self.number += 1
        theirs = f"theirs {self.number}"
        how = self.rng.random()
        lines[at : at + (how > 0.4)] = [] if how > 0.8 else [theirs]
        self.write(path, "\n".join(lines) + "\n")


# --- the person


class Person:
    """Somebody who works on a project."""

    def __init__(self, rng: random.Random, root: Path) -> None:
        self.rng, self.root = rng, root
        self.lines: set[str] = set()

    def line(self) -> str:
        words = self.rng.choice(["mine", "mine too", "\N{GREEK SMALL LETTER MU} mine"])
        line = f"{words} {self.rng.random()}"
        self.lines.add(line)
        return line

    def work(self) -> None:
        listed = git(self.root, "ls-files", "-z").split("\0")[:-1]
        for path in listed:
            roll = self.rng.random()
            if roll < 0.06 and not path.startswith("."):
                (self.root / path).unlink()
            elif roll < 0.7:
                self.edit(self.root / path)
        for at in range(self.rng.randrange(3)):
            self.write(self.rng.choice(["etc", "src/own", "docs", "."]), f"own{at}.py")
        if self.rng.random() < 0.3:  # by chance where the template will have a file
            self.write("added", f"f{self.rng.randrange(3)}.txt")
            if self.rng.random() < 0.3:
                (self.root / ".git/info").mkdir(exist_ok=True)
                (self.root / ".git/info/exclude").write_text("added/\n")
        if self.rng.random() < 0.1:
            moved = [path for path in listed if (self.root / path).is_file() and path[0] != "."]
            if moved:
                (self.root / self.rng.choice(moved)).rename(self.root / "moved.txt")

    def write(self, folder: str, name: str) -> None:
        path = self.root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(self.line() for _ in range(3)) + "\n", encoding="utf-8")

    def edit(self, path: Path) -> None:
        lines = path.read_text("utf-8").splitlines()
        answers = path.name == ".copier-answers.yml"
        for _ in range(self.rng.choice([0, 1, 1, 2, 3])):
            at = 0 if answers else self.rng.randint(0, len(lines))
            how = 0.0 if answers else self.rng.random()
            mine = f"# {self.line()}" if how < 0.8 else ""
            lines[at : at + (how > 0.5)] = [mine] if mine else []
        end = self.rng.choice(["\n", "\n", "\n", ""])
        text = "\n".join(lines) + end
        if self.rng.random() < 0.05 and not answers:
            text = text.replace("\n", "\r\n")
        path.write_bytes(text.encode())


# --- the two that update


def eventgens(project: Path, template: Template) -> Outcome:
    """As `eventgen update` does it, without what it generates."""
    from eventgen import scaffold
    from eventgen.update.merge import Rendering, in_the_way, merge

    outcome = Outcome()
    sides = []
    for version in (template.versions[0], template.versions[-1]):
        source, rendered = project.parent / f"template-{version}", project.parent / version
        git(template.root, "worktree", "add", "--quiet", str(source), f"v{version}")
        (source / ".git").unlink()  # as in a wheel, a plain folder
        rendered.mkdir()
        shutil.copy(project / ".copier-answers.yml", rendered)
        scaffold.render(source, {}, rendered)
        sides.append(Rendering(version, rendered))
    old, new = sides
    if in_the_way(project, new):
        outcome.refused = True
        return outcome
    before = {path: (old.folder / path).read_bytes() for path in old.paths()}
    after = {path: (new.folder / path).read_bytes() for path in new.paths()}
    mine = {path: path_bytes(project / path) for path in before}
    merged = merge(project, old, new)
    outcome.conflicts = len(merged.conflicts)
    finished = after.keys() - set(merged.conflicts)
    outcome.wrong += [
        f"{path} is in conflict, and need not be"
        for path in merged.conflicts
        if mine.get(path) and path in after and is_clean(mine[path], before[path], after[path])
    ]
    outcome.wrong += [
        f"{path} is not as the template has it"
        for path in finished & before.keys()
        if mine[path] == before[path] and path_bytes(project / path) != after[path]
    ]
    outcome.wrong += [
        f"{path} has markers, and is in no conflict"
        for path in git(project, "ls-files", "-z").split("\0")[:-1]
        if path not in merged.conflicts and b"<<<<<<< " in path_bytes(project / path)
    ]
    return outcome


def copiers(project: Path, template: Template) -> Outcome:
    """As plain `copier update` does it."""
    import copier

    copier.run_update(project, defaults=True, overwrite=True, quiet=True)
    unmerged = git(project, "diff", "--name-only", "--diff-filter=U", "-z")
    return Outcome(conflicts=unmerged.count("\0"))


def path_bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def is_clean(mine: bytes, base: bytes, theirs: bytes) -> bool:
    """Whether three versions of a file merge by themselves, line ends aside."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("mine", mine), ("base", base), ("theirs", theirs)):
            Path(folder, name).write_bytes(content.replace(b"\r\n", b"\n"))
        how = ["git", "merge-file", "-p", "-q", "mine", "base", "theirs"]
        return (
            subprocess.run(how, cwd=folder, check=False, stdout=subprocess.DEVNULL).returncode == 0
        )


# --- one case


@contextmanager
def case(seed: int) -> Iterator[tuple[Path, Template, set[str]]]:
    """A project that somebody worked on, the template that has moved on, and the person's lines."""
    from eventgen import scaffold

    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="eventgen-fuzz-") as folder:
        work = Path(folder)
        template = Template(rng, work / "template", f"case-{os.getpid()}-{seed}")
        project = work / "project"
        plain = work / "first"
        shutil.copytree(template.root, plain, ignore=shutil.ignore_patterns(".git"))
        scaffold.render(plain, {"service": "orders", "broker": "kafka"}, project)
        repository(project)
        for _ in range(rng.randint(1, 3)):
            template.evolve()
        person = Person(rng, project)
        person.work()
        commit(project)
        yield project, template, person.lines


def lost(project: Path, lines: set[str]) -> set[str]:
    files = (path for path in project.rglob("*") if path.is_file() and ".git" not in path.parts)
    text = "\n".join(path.read_text("utf-8", errors="replace") for path in files)
    return {line for line in lines if line not in text}


def measure(seed: int, update: Callable[[Path, Template], Outcome]) -> tuple[int, Outcome]:
    """How many lines the person wrote, and what became of them."""
    with case(seed) as (project, template, lines):
        written = lines - lost(project, lines)  # the person overwrote some of their own
        point_git_at(template)
        started = time.perf_counter()
        outcome = update(project, template)
        outcome.seconds = time.perf_counter() - started
        outcome.lost = lost(project, written)
        return len(written), outcome


def point_git_at(template: Template) -> None:
    """Let git find the case's template where its address leads."""
    address = template.home.replace("gh:", "https://github.com/")
    config = os.environ.get("GIT_CONFIG_GLOBAL")
    if config and config != os.devnull:
        Path(config).write_text(
            f'[url "{template.root}"]\n\tinsteadOf = {address}.git\n\tinsteadOf = {address}\n'
            "[user]\n\tname = ada\n\temail = ada@example.org\n",
            encoding="utf-8",
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-copier", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # Before copier is imported: it keeps the environment that it was imported in.
        os.environ["GIT_CONFIG_GLOBAL"] = f"{folder}/gitconfig"
        os.environ["COPIER_CACHE_DIR"] = f"{folder}/cache"
        engines = {"eventgen update": eventgens} | (
            {} if options.without_copier else {"copier update": copiers}
        )
        totals = {name: Totals() for name in engines}
        for seed in range(options.seed, options.seed + options.runs):
            for name, engine in engines.items():
                totals[name].add(seed, *measure(seed, engine))
        for name, total in totals.items():
            print(f"{name}: {total}")
        wrong = totals["eventgen update"].wrong
        sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main()
