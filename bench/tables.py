"""Tables of figures for the terminal."""

from collections.abc import Sequence

from rich.table import Table

from bench.figures import Promise, Report


def _number(value: float) -> str:
    if value >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def promised(promises: Sequence[Promise], report: Report) -> Table:
    """The promised figures with their floors and aims, and whether they are kept."""
    table = Table(title="Promised", title_justify="left")
    table.add_column("figure", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("floor", justify="right", no_wrap=True)
    table.add_column("aim", justify="right", no_wrap=True)
    table.add_column("")
    for promise in promises:
        value = report.values.get(promise.name)
        bound = "≤ " if promise.at_most else "≥ "
        if value is None:
            verdict = f"[yellow]not measured: {report.reasons.get(promise.name, 'not asked for')}"
        elif not promise.kept(value):
            verdict = "[red]✗ below the floor" if not promise.at_most else "[red]✗ above the bound"
        else:
            verdict = (
                f"[green]✓[/] {promise.meaning}"
                if promise.reached(value)
                else "[green]✓[/] the floor is kept, the aim is not reached"
            )
        shown = "–" if value is None else f"{value:.2f}"
        floor, aim = f"{bound}{promise.floor:g}", f"{bound}{promise.aim:g}"
        table.add_row(promise.name, shown, floor, aim, verdict)
    return table


def figures(report: Report) -> Table:
    """The absolute figures."""
    table = Table(title="What they are made of (compare only within one run)", title_justify="left")
    table.add_column("measured")
    table.add_column("figure", justify="right", no_wrap=True)
    table.add_column("")
    for one in report.absolutes:
        table.add_row(one.what, f"{_number(one.value)} {one.unit}", one.note)
    return table
