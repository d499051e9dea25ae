"""Readable names for models whose runs ask for none."""

import hashlib
from collections.abc import Iterator
from itertools import count

ADJECTIVES = """
    able agile amber apt azure bold brave breezy bright brisk calm candid clear clever cobalt cosy
    crisp curious daring deft eager early fair fleet fond frank fresh gentle glad golden graceful
    green happy hardy honest humble jolly keen kind lively lucid lucky mellow merry mild modest neat
    nimble noble patient placid plucky polite proud quick quiet rapid ready sage scarlet sharp
    silver sleek smart snug sober steady sunny swift tidy tranquil true upbeat vivid warm wise witty
    zesty
""".split()  # noqa: SIM905 - lines of words are easier to read and change

NOUNS = """
    acorn alder anchor aspen badger beacon beaver birch bison brook canyon cedar cliff cloud comet
    condor coral crane creek curlew delta dolphin dune eagle elm ember falcon fern finch fjord
    forest fox garnet glacier grove harbor hare harrier hawk heron hill ibex iris island ivy jay
    juniper kestrel lagoon lake lark linden lotus lynx maple marlin marten meadow merlin mesa oak
    ocean opal orca orchid osprey otter owl pebble pine plover poplar prairie puffin quartz raven
    reef ridge river robin salmon seal sparrow spruce starling stork summit swan thrush tulip valley
    walnut willow wren
""".split()  # noqa: SIM905


def candidate_names(uid: str) -> Iterator[str]:
    """Endless names like brisk-heron-3f9a, the same ones in the same order for the same UID."""
    for number in count():
        digest = hashlib.sha256(f"{uid}\n{number}".encode()).digest()
        adjective = ADJECTIVES[int.from_bytes(digest[:4]) % len(ADJECTIVES)]
        noun = NOUNS[int.from_bytes(digest[4:8]) % len(NOUNS)]
        yield f"{adjective}-{noun}-{digest[8:10].hex()}"
