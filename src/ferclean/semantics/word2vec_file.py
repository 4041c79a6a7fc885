"""A few words' vectors out of a word2vec or gensim file of any size."""

from __future__ import annotations

import gzip
import io
import pickle
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from ferclean.errors import FercleanError
from ferclean.semantics.words import missing_word
from ferclean.tables.inputs import memo_is_honest, read_array, require_no_device

_LONGEST_WORD = 4096  # bytes, as are the digits of a number
_LONGEST_NUMBER = 32
_LARGEST_SIZE = 100_000
_LISTED_WORDS = 50_000  # files begin with the most frequent words


def file_vectors(path: str | Path, words: Mapping[str, str]) -> np.ndarray:
    """Look words up in a file of word vectors.

    word2vec files (text or binary, plain or ``.gz``) are streamed and only the wanted rows are
    kept: gensim's own reader would hold all three million Google News vectors to find seven.
    Files written by ``KeyedVectors.save`` are recognised too; their pickle may name nothing but
    gensim's and NumPy's containers, so that opening a file cannot run a program hidden in it.

    Parameters
    ----------
    path : str or Path
        The file.
    words : mapping of str to str
        Class to word, K entries.

    Returns
    -------
    numpy.ndarray
        ``(K, D)`` float64.

    Raises
    ------
    FercleanError
        If the file cannot be read, is broken, or lacks a word.
    """
    path = Path(path)
    try:
        with _open(path) as stream:
            if stream.peek(1)[:1] == b"\x80":
                found, vocabulary = _from_keyed_vectors(cast(BinaryIO, stream), path, words)
            else:
                found, vocabulary = _from_word2vec(stream, path, words)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        name = getattr(error, "filename", None) or path
        raise FercleanError(f"semantics.path: cannot read {name}: {reason}") from None
    except (ValueError, pickle.UnpicklingError) as error:
        raise FercleanError(
            f"semantics.path: {path} is not a word2vec or KeyedVectors file: {error}"
        ) from None
    for name, word in words.items():
        if word not in found:
            raise missing_word(name, word, vocabulary, path)
    vectors = np.stack([found[word] for word in words.values()]).astype(np.float64)
    _check_vectors(vectors, words, path)
    return vectors


def _check_vectors(vectors: np.ndarray, words: Mapping[str, str], path: Path) -> None:
    for word, vector in zip(words.values(), vectors, strict=True):
        if not np.isfinite(vector).all() or not vector.any():
            raise FercleanError(f"{path}: the vector of {word!r} is zero or not finite")


def _open(path: Path) -> io.BufferedReader:
    require_no_device(path)
    with path.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    raw: Any = gzip.GzipFile(path) if compressed else io.FileIO(path)
    return io.BufferedReader(raw, buffer_size=1 << 20)


def _from_word2vec(
    stream: io.BufferedReader, path: Path, words: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], list[str]]:
    header = stream.readline(_LONGEST_WORD).split()
    if len(header) != 2 or not all(part.isdigit() for part in header):
        raise ValueError("its first line must hold the number of words and of dimensions")
    count, size = int(header[0]), int(header[1])
    if not 0 < size <= _LARGEST_SIZE:
        raise ValueError(f"{size} dimensions are not possible")
    rows = _binary_rows if _is_binary(path, size) else _text_rows
    wanted = set(words.values())
    starts = tuple({word[:2].casefold() for word in wanted})
    found: dict[str, np.ndarray] = {}
    vocabulary: list[str] = []
    for word, values in rows(stream, count, size):
        if word in wanted and word not in found:
            found[word] = _parse(values, size, word)
            if len(found) == len(wanted):
                break
        if len(vocabulary) < _LISTED_WORDS or word.casefold().startswith(starts):
            vocabulary.append(word)
    return found, vocabulary


def _is_binary(path: Path, size: int) -> bool:
    with _open(path) as stream:
        stream.readline(_LONGEST_WORD)
        parts = stream.readline(_LONGEST_WORD + _LONGEST_NUMBER * size).rsplit(maxsplit=size)
    try:
        return len([float(part) for part in parts[1:]]) != size
    except ValueError:
        return True


def _text_rows(
    stream: io.BufferedReader, count: int, size: int
) -> Iterator[tuple[str, bytes | list[bytes]]]:
    longest = _LONGEST_WORD + _LONGEST_NUMBER * size
    for number in range(1, count + 1):
        parts = stream.readline(longest).rstrip().rsplit(maxsplit=size)
        if len(parts) != size + 1:
            raise ValueError(f"row {number} of {count} does not hold a word and {size} numbers")
        yield parts[0].decode("utf-8", errors="replace"), parts[1:]


def _binary_rows(
    stream: io.BufferedReader, count: int, size: int
) -> Iterator[tuple[str, bytes | list[bytes]]]:
    width, number, buffer = 4 * size, 0, b""
    while number < count:
        block = stream.read(1 << 22)
        buffer += block
        position = 0
        while number < count:
            space = buffer.find(b" ", position, position + _LONGEST_WORD)
            if space < 0 and len(buffer) - position >= _LONGEST_WORD:
                raise ValueError(f"row {number + 1} of {count} does not begin with a word")
            if space < 0 or space + 1 + width > len(buffer):
                break
            word = buffer[position:space].lstrip(b"\n").decode("utf-8", errors="replace")
            yield word, buffer[space + 1 : space + 1 + width]
            position, number = space + 1 + width, number + 1
        if not block and number < count:
            raise ValueError(f"it ends after {number} of {count} rows")
        buffer = buffer[position:]


def _parse(values: bytes | list[bytes], size: int, word: str) -> np.ndarray:
    if isinstance(values, bytes):
        return np.frombuffer(values, dtype="<f4", count=size)
    try:
        return np.array([float(value) for value in values], dtype=np.float32)
    except ValueError:
        raise ValueError(f"the vector of {word!r} holds something that is no number") from None


class _Saved:
    """What a pickled KeyedVectors leaves: its attributes, and none of its code."""


class _KeyedVectorsUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module == "gensim.models.keyedvectors":
            return _Saved
        numpy_names = {"_reconstruct", "_frombuffer", "ndarray", "dtype", "scalar"}
        inside_numpy = module == "numpy" or module.startswith(("numpy.core.", "numpy._core."))
        if (inside_numpy and name in numpy_names) or (module, name) == ("_codecs", "encode"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it holds {module}.{name}")


def _from_keyed_vectors(
    stream: BinaryIO, path: Path, words: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], list[str]]:
    try:
        if not memo_is_honest(stream):
            raise pickle.UnpicklingError("its pickle numbers more objects than it can hold")
        saved = _KeyedVectorsUnpickler(stream).load()
    except (pickle.UnpicklingError, OSError, EOFError):
        raise
    except Exception as error:  # a broken pickle can raise anything
        raise pickle.UnpicklingError(f"its pickle is broken ({error})") from None
    attributes = vars(saved) if isinstance(saved, _Saved) else {}
    keys = attributes.get("index_to_key") or attributes.get("index2word")
    if not isinstance(keys, list):
        raise ValueError("it holds no vocabulary")
    if not all(isinstance(key, str) for key in keys):
        raise ValueError("its vocabulary holds something that is no word")
    vectors = attributes.get("vectors")
    if vectors is None:  # large arrays stand in a file of their own
        vectors = read_array(f"{path}.vectors.npy")
    if not isinstance(vectors, np.ndarray) or not np.issubdtype(vectors.dtype, np.floating):
        raise ValueError("its vectors are no numbers")
    if vectors.ndim != 2 or len(vectors) < len(keys):
        raise ValueError("its vectors do not match its vocabulary")
    position = {word: row for row, word in enumerate(keys)}
    found = {word: vectors[position[word]] for word in words.values() if word in position}
    return found, keys
