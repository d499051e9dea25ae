"""Open files that may be compressed, by the end of their name."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path, PurePath
from typing import Any

import pyarrow

from ..errors import DataError
from ..records import SourceFile

COMPRESSED = (".gz", ".bz2", ".xz", ".zst")

UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def kind_of(uri: str) -> str:
    """The end of the name that tells the kind of file, in small letters, without that of a compression."""
    path = PurePath(uri.lower())
    return path.with_suffix("").suffix if path.suffix in COMPRESSED else path.suffix


@contextmanager
def text_bytes(file: SourceFile) -> Iterator[BufferedReader]:
    """The bytes of a text file, decompressed as they are read.

    Raises DataError for a compressed file that is cut off or none, and for text in UTF-16, which spreadsheets
    like to write.
    """
    suffix = PurePath(file.uri.lower()).suffix
    try:
        with BufferedReader(_decompressed(file.path, suffix)) as content:
            start = content.peek(2)[:2]
            if start in UTF_16_MARKS or b"\0" in start:  # as half of each Latin letter is without a mark
                raise DataError(
                    f"{file.uri}: the text is in UTF-16; save the file as UTF-8, or convert it with "
                    "iconv -f UTF-16 -t UTF-8"
                )
            yield content
    except (lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        if suffix not in COMPRESSED:
            raise
        raise DataError(
            f"{file.uri}: not a whole {suffix} file ({error}); compress and upload it again"
        ) from None


def _decompressed(path: Path, suffix: str) -> Any:
    match suffix:
        case ".gz":
            return gzip.open(path)
        case ".bz2":
            return bz2.open(path)
        case ".xz":
            return lzma.open(path)
        case ".zst":
            return pyarrow.input_stream(str(path), compression="zstd")
    return path.open("rb", buffering=0)
