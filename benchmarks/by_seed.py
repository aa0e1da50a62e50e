"""What the benchmarks that train for each name and seed do with a run that has ended."""

from minigan._jobs import Failed


def collect(done, runs, drawn):
    """Yields (name, seed, rows, sheet) after each run of a task (name, seed, ...).

    done  : ((name, seed, ...), (rows, sheet) or Failed); a run that failed is printed, and no more
    runs  : {name: {}}, gets the rows of each seed, seeds in ascending order
    drawn : {}, gets the sheet of each name's least seed
    """
    for (name, seed, *_), outcome in done:
        if isinstance(outcome, Failed):
            print(f"{name:14} seed {seed}  {outcome.reason}", flush=True)
            continue
        rows, sheet = outcome
        runs[name] = dict(sorted({**runs[name], seed: rows}.items()))
        if seed == min(runs[name]):
            drawn[name] = sheet
        yield name, seed, rows, sheet
