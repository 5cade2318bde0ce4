"""The average customer of a fit: whom the weights compare with, and whom the screens tell of.

No numpy here, so that a web worker can read it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Average:
    """The customer of average figures, in whole numbers, as they are told: repeat purchases, days
    between two, days since the last. Its net value per purchase is the usual."""

    x: int = 0
    gap: int = 1
    silence: int = 0

    @classmethod
    def of(cls, customers):
        """The means; while nobody came back the next purchase is as far as the last."""
        if not len(customers):
            return cls()
        back, silence = customers.x > 0, round(float(customers.silence.mean()))
        gap = float((customers.t[back] / customers.x[back]).mean()) if back.any() else silence
        return cls(round(float(customers.x.mean())), max(1, round(gap)), silence)

    def silence_at(self, gap):
        """Days of silence, as many times `gap` as those of the average customer are its own."""
        return gap * self.silence / self.gap
