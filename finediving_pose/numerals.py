"""Numbers as people read them: a true minus sign, halves as ½."""

from __future__ import annotations


def numeral(value: float, digits: int) -> str:
    """``−12.5``: with a minus sign, not a hyphen; nothing that rounds to zero has one."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def halves(count: int) -> str:
    """``3½`` for 7 halves; ``½`` for one, ``0`` for none."""
    whole, half = divmod(count, 2)
    return f"{whole or ''}{'½' * half}" or "0"
