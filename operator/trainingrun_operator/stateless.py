"""kopf without memory of what it has handled: handlers of events have no use for it."""

import kopf


class NoDiffBase(kopf.DiffBaseStorage):
    """Keeps nothing to compare an object with, which else is most of what an event costs."""

    def build(self, **_: object) -> kopf.BodyEssence:
        """Nothing of the object."""
        return kopf.BodyEssence()

    def fetch(self, **_: object) -> None:
        """Nothing is kept."""

    def store(self, **_: object) -> None:
        """Nothing is kept."""
