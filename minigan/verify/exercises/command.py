"""The commands: python -m minigan.exercises COMMAND, and the functions of the same names."""

import argparse
import os
import sys
import textwrap
import time
from pathlib import Path

from .folder import Folder, typed
from .ladder import Exercise, exercises, find
from .sandbox import Outcome

PAUSE = 0.3  # seconds between checks for changed files

Place = str | os.PathLike


def start(folder: Place) -> None:
    """Puts the pages into a folder. Those that are there already stay as they are."""
    place, added = Folder.start(folder)
    total, first = len(exercises()), place.next
    say(f"{added} of {total} pages put into {place.path}.")
    if added < total:
        say("Those that were there stay as they are.")
    say(
        "Each is a Python file: a text that says what is wanted, and functions with a gap. A gap "
        "is the line below `# Your code`, such as `dx, dW = ..., ...`. Put your own lines in its "
        "place and save the file. To be told what is right and what is wrong each time you save, "
        "run this beside your editor:"
    )
    if place.path != Path.cwd():
        print(f"    cd {folder}")
    print(f"    {typed(place.path)} watch\n")
    say("It goes on until you press Ctrl-C. When you are stuck:")
    print(f"    {typed(place.path)} hint")
    print(f"    {typed(place.path)} solution\n")
    if first:
        say(f"Begin with {first.file}.")


def check(name: str | int | None = None, *, folder: Place = ".") -> Outcome | None:
    """Checks a page, by default the first that is not right yet, prints and returns the outcome.

    name   : of an exercise, or its number
    folder : the folder of the pages, or one that has them in a folder "exercises"
    """
    place = Folder(folder)
    exercise = chosen(name, place)
    if exercise is None:
        print(all_right())
        return None
    return reported(place, exercise)


def watch(*, folder: Place = ".") -> None:
    """Checks each page when it is saved, until all are right or a Ctrl-C."""
    place = Folder(folder)
    try:
        _watch(place)
    except KeyboardInterrupt:
        print(f"\nStopped. `{typed()} watch` goes on from here.")


def _watch(place: Folder) -> None:
    saved = place.modified()
    if place.next:
        reported(place, place.next)
    while place.next:
        say(f"Watching {place.path}: save a page to check it, press Ctrl-C to stop.", end="")
        while (now := place.modified()) == saved or not now:
            time.sleep(PAUSE)
        changed = [exercise for exercise in now if now[exercise] != saved.get(exercise)]
        saved = now
        for exercise in changed:
            print("-" * 79)
            reported(place, exercise)
    print(all_right())


def hint(name: str | int | None = None, *, folder: Place = ".") -> None:
    """Prints the next hint for a page, by default the first that is not right yet."""
    place = Folder(folder)
    exercise = chosen(name, place)
    if exercise is None:
        print(all_right())
        return
    number = place.next_hint(exercise)
    count = len(exercise.hints)
    say(f"{exercise.name}, hint {number} of {count}: {exercise.hints[number - 1]}")
    if number == count:
        say(f"That was the last one; `{typed()} solution {exercise.name[:4]}` shows the solution.")


def solution(name: str | int | None = None, *, folder: Place = ".") -> None:
    """Prints what belongs into the gaps of a page, by default the first that is not right yet."""
    exercise = find(name) if name is not None else Folder(folder).next
    print(
        "\n\n".join(f"{exercise.name}, {gap}" for gap in exercise.gaps) if exercise else all_right()
    )


def progress(*, folder: Place = ".") -> None:
    """Prints which pages are right so far."""
    place = Folder(folder)
    done = [exercise for exercise in exercises() if place.passed(exercise)]
    for exercise in exercises():
        mark = "right" if exercise in done else "next " if exercise == place.next else "     "
        print(f"{mark}  {exercise.name:28} {exercise.title}"[:79])
    print(f"\n{len(done)} of {len(exercises())} right.")


def chosen(name: str | int | None, place: Folder) -> Exercise | None:
    return place.next if name is None else find(name)


def reported(place: Folder, exercise: Exercise) -> Outcome:
    """Checks a page, and prints the outcome and what comes next."""
    if exercise.seconds:
        say(f"{exercise.name} trains a GAN, which takes some seconds.")
    outcome = place.check(exercise)
    print(outcome)
    following = place.next
    if outcome.ok:
        print(f"  This page is right: {sum(map(place.passed, exercises()))} of {len(exercises())}.")
        if following:
            print(f"  Next: {following.file} ({following.title})")
    print()
    return outcome


def all_right() -> str:
    return f"All {len(exercises())} pages are right."


def say(words: str, end: str = "\n") -> None:
    """Prints words in lines of at most 79 characters, and an empty line."""
    print(textwrap.fill(words, 79, break_long_words=False, break_on_hyphens=False) + end)


def main(arguments: list[str] | None = None) -> None:
    """The command line. Exits with 1 if a page that was checked is not right, 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog=typed(),
        description="Write the gradients of a GAN yourself, page by page, and be told what is "
        "wrong. Begin with: start FOLDER",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for function in (start, check, watch, hint, solution, progress):
        words = (function.__doc__ or "").splitlines()[0]
        command = commands.add_parser(function.__name__, help=words, description=words)
        command.set_defaults(function=function)
        if function is start:
            command.add_argument("folder", metavar="FOLDER")
            continue
        if function in (check, hint, solution):
            command.add_argument(
                "name", nargs="?", metavar="NAME",
                help="of an exercise, or its number; by default the first that is not right yet",
            )  # fmt: skip
        command.add_argument(
            "--folder",
            default=".",
            help="the folder of the pages; by default the current one, or exercises in it",
        )
    options = vars(parser.parse_args(arguments))
    function = options.pop("function")
    del options["command"]
    try:
        outcome = function(**options)
    except (LookupError, OSError) as error:
        print(f"{typed()}: {error}", file=sys.stderr)
        sys.exit(2)
    if isinstance(outcome, Outcome) and not outcome.ok:
        sys.exit(1)
