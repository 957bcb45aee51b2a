"""Constants of mathematics as sums of floats, so that products with them lose nothing that matters."""

from fractions import Fraction

from runtime.backends.native.mathlib.emitter import round_to

LN2 = Fraction("0.693147180559945309417232121458176568075500134360255254120680009493393621969694715605863326996418687")
PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")
LN10 = Fraction("2.302585092994045684017991454684364207601101488628772976033327900967572609677352480235997205089598298")


def parts(number: Fraction, kind: str, count: int = 2) -> tuple[float, ...]:
    """The nearest float, the nearest to what that lacks, and so on."""
    found = []
    for _ in range(count):
        found.append(round_to(kind, float(number)))
        number -= Fraction(found[-1])
    return tuple(found)
