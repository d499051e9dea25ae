"""Reading metrics doesn't keep the operator from its work, however often it is done."""

import asyncio
import threading
import time

from trainingrun_operator.scrapes import REST, Scrapes

COST = 0.05


class Text:
    """Takes its time, and counts how often it is made."""

    def __init__(self) -> None:
        self.made = 0
        self.begun = threading.Event()

    def __call__(self) -> bytes:
        self.begun.set()
        self.made += 1
        end = time.monotonic() + COST
        while time.monotonic() < end:
            pass
        return str(self.made).encode()


async def test_those_who_ask_at_once_share_one_text() -> None:
    text = Text()
    scrapes = Scrapes(text)
    assert set(await asyncio.gather(*(scrapes.text() for _ in range(100)))) == {b"1"}
    assert text.made == 1


async def test_who_asks_while_one_is_made_gets_the_next() -> None:
    text = Text()
    scrapes = Scrapes(text)
    first = asyncio.create_task(scrapes.text())
    await asyncio.to_thread(text.begun.wait)
    assert await scrapes.text() == b"2"
    assert await first == b"1"


async def test_texts_take_their_share_of_the_time_and_no_more() -> None:
    scrapes = Scrapes(Text())
    began = time.monotonic()
    for _ in range(3):
        await scrapes.text()
    assert time.monotonic() - began >= COST * (3 + 2 * REST)
