"""What the reports have in common."""

from dataclasses import fields


class Report:
    """A frozen dataclass of scalars and arrays; `str()` is for people, `scalars()` for JSON."""

    def scalars(self):
        """The fields that are single numbers, as a dict: what a `metrics.json` wants."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if isinstance(value, (int, float))}
