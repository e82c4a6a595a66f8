"""Pickled arrays, honest and poisoned, and vectors on disk."""

import codecs
import copyreg
import os
import pickle
import random
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings import legacy_pickles, vector_files
from embeddings.vector_files import BadVectors

VALUES = np.random.default_rng(3).normal(size=(50, 3))


def read(tmp_path: Path, data: bytes) -> NDArray[np.float32]:
    path = tmp_path / "array.pickle"
    path.write_bytes(data)
    return legacy_pickles.read(path)


def refusal(tmp_path: Path, data: bytes) -> str:
    with pytest.raises(BadVectors) as caught:
        read(tmp_path, data)
    assert str(caught.value).startswith(str(tmp_path / "array.pickle"))
    return str(caught.value)


def as_numpy_1(data: bytes) -> bytes:
    """The same pickle, as NumPy 1 would have named things."""
    for module in (b"multiarray", b"numeric"):
        name = b"numpy._core." + module
        data = data.replace(name + b"\n", b"numpy.core." + module + b"\n")
        counted = struct.pack("B", len(name)) + name
        if data[2:3] == b"\x95" and counted in data:  # protocol 4 counts the frame's bytes
            data = data[:3] + struct.pack("<Q", struct.unpack("<Q", data[3:11])[0] - 1) + data[11:]
        data = data.replace(counted, struct.pack("B", len(name) - 1) + b"numpy.core." + module)
    return data


class Call:
    """Pickled as a call of anything, with a state to be set."""

    def __init__(self, function: Any, *arguments: Any, state: Any = None) -> None:
        self.parts = (function, arguments, state)

    def __reduce__(self) -> Any:
        return self.parts


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["<f8", "<f4", ">f8", ">f4", "<f2"])
def test_it_reads_what_numpy_1_and_2_pickle(tmp_path: Path, kind: str, order: Any, protocol: int) -> None:
    array = np.array(VALUES, kind, order=order)
    data = pickle.dumps(array, protocol)
    older = as_numpy_1(data)
    assert b"numpy._core" not in older
    for version in (data, older):
        found = read(tmp_path, version)
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, array.astype(np.float32))


def test_it_reads_what_python_2_pickled(tmp_path: Path) -> None:
    numbers = VALUES.astype("<f8").tobytes()
    data = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x32K\x03\x86"
        b"cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T" + struct.pack("<i", len(numbers)) + numbers + b"tb."
    )
    np.testing.assert_array_equal(read(tmp_path, data), VALUES.astype(np.float32))


def test_what_it_writes_it_reads_and_numpy_1_could(tmp_path: Path) -> None:
    array = VALUES.astype(np.float32)
    path = tmp_path / "array.pickle"
    legacy_pickles.write(path, array)
    np.testing.assert_array_equal(legacy_pickles.read(path), array)
    assert b"numpy.core.multiarray" in path.read_bytes()
    assert b"numpy._core" not in path.read_bytes()
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["array.pickle"]


def test_a_view_is_written_as_what_it_shows(tmp_path: Path) -> None:
    path = tmp_path / "array.pickle"
    wide = np.arange(60, dtype=np.float32).reshape(10, 6)
    legacy_pickles.write(path, wide[::2, :3])
    np.testing.assert_array_equal(legacy_pickles.read(path), wide[::2, :3])


# Poison. Each would leave a file behind if anything in it were run.


@pytest.fixture
def trace(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "it-was-run"
    yield path
    assert not path.exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_calls_in_a_pickle_are_never_made(tmp_path: Path, trace: Path, protocol: int) -> None:
    poisons = [
        Call(os.system, f"touch {trace}"),
        Call(eval, f"open({str(trace)!r}, 'w')"),
        Call(exec, f"open({str(trace)!r}, 'w')"),
        Call(Path.touch, trace),
        Call(getattr(codecs, "open"), str(trace), "w"),  # noqa: B009  mypy knows that it is deprecated
        Call(np.ndarray.tofile, VALUES, str(trace)),
        Call(np.save, str(trace), VALUES),
    ]
    for poison in poisons:
        for whole in (poison, [VALUES, poison], {"a": VALUES, "b": poison}):
            assert "only NumPy arrays are admitted" in refusal(tmp_path, pickle.dumps(whole, protocol))
        assert "none of plain numbers" in refusal(tmp_path, pickle.dumps(np.array([[poison] * 3], object), protocol))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("numpy", "ndarray.tofile"),
        ("numpy", "dtype.__class__"),
        ("numpy", "load"),
        ("numpy", "ndarray.__init__.__globals__"),
        ("numpy._core.multiarray", "_reconstruct.__self__"),
        ("numpy.core.multiarray", "os.system"),
        ("numpy._core.multiarray", "fromfile"),
        ("numpy._core.numeric", "_frombuffer.__globals__"),
        ("numpy._core.numeric", "sys.modules"),
        ("numpy.testing._private.utils", "runstring"),
        ("_codecs", "encode.__self__"),
        ("_codecs", "lookup"),
        ("embeddings.legacy_pickles", "os.system"),
    ],
)
def test_names_are_never_walked(tmp_path: Path, trace: Path, module: str, name: str) -> None:
    """From protocol 4 on, a name may hold dots, and each is followed."""
    path = str(trace).encode()
    for spelled in (
        b"\x80\x04" + _text(module) + _text(name) + b"\x93" + _text(path.decode()) + b"\x85R.",
        b"\x80\x02c" + module.encode() + b"\n" + name.encode() + b"\n(X" + struct.pack("<i", len(path)) + path + b"tR.",
        b"(X" + struct.pack("<i", len(path)) + path + b"i" + module.encode() + b"\n" + name.encode() + b"\n.",
    ):
        assert "only NumPy arrays are admitted" in refusal(tmp_path, spelled)


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<i", len(text)) + text.encode()


@pytest.mark.parametrize("encoding", ["utf-16", "rot13", "unicode_escape", "zlib", "idna", "LATIN1"])
def test_bytes_are_made_of_latin_1_only(tmp_path: Path, encoding: str) -> None:
    data = pickle.dumps(VALUES, 2)
    assert _text("latin1") in data
    assert "never encoded as" in refusal(tmp_path, data.replace(_text("latin1"), _text(encoding)))


def test_codes_and_ids_from_outside_are_refused(tmp_path: Path, trace: Path) -> None:
    code = 0xF0
    copyreg.add_extension("posix", "system", code)
    try:
        call = _text(f"touch {trace}") + b"\x85R."
        refusal(tmp_path, b"\x80\x02\x82\xf0" + call)
        refusal(tmp_path, b"\x80\x02\x83\xf0\x00" + call)
        refusal(tmp_path, b"\x80\x02\x84\xf0\x00\x00\x00" + call)
    finally:
        copyreg.remove_extension("posix", "system", code)
    refusal(tmp_path, b"Pan-id\n.")
    refusal(tmp_path, b"\x80\x02" + _text("an-id") + b"Q.")
    refusal(tmp_path, b"\x80\x05\x97.")


def test_what_stands_for_an_array_cannot_be_bent(tmp_path: Path) -> None:
    refusal(tmp_path, b"\x80\x04cnumpy\nndarray\n}" + _text("values") + _text("x") + b"sb.")
    refusal(tmp_path, b"\x80\x04cnumpy\nndarray\n)\x81}" + _text("values") + _text("x") + b"sb.")
    refusal(tmp_path, b"\x80\x04cnumpy\nndarray\n.")
    refusal(tmp_path, b"\x80\x04cnumpy\ndtype\n" + _text("f8") + b"\x85R.")
    np.testing.assert_array_equal(read(tmp_path, pickle.dumps(VALUES)), VALUES.astype(np.float32))


def _array_of(dtype: Any, shape: Any, numbers: Any = bytes(48)) -> bytes:
    from numpy._core.multiarray import _reconstruct

    return pickle.dumps(Call(_reconstruct, np.ndarray, (0,), b"b", state=(1, shape, dtype, False, numbers)))


_HUGE = {
    "array made whole": pickle.dumps(Call(np.ndarray, (10**9, 3), "f8")),
    "array to be filled": pickle.dumps(
        Call(np.ndarray, (10**9, 3), "f8", state=(1, (10**9, 3), np.dtype("f8"), False, b""))
    ),
    "shape without bytes": _array_of(np.dtype("f8"), (10**12, 3), b""),
    "shape beyond 64 bits": _array_of(np.dtype("f8"), (10**30, 3)),
    "negative shape": _array_of(np.dtype("f8"), (-5, -3)),
    "no size at all": _array_of(np.dtype("V0"), (10**12, 3), b""),
    "memo": b"\x80\x02Nr\xff\xff\xff\x7f.",
    "old memo": b"Np" + b"9" * 18 + b"\n.",
    "bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x.",
    "byte array": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x.",
    "text": b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"x.",
    "frame": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"N.",
    "number": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"x.",
}


@pytest.mark.parametrize("data", _HUGE.values(), ids=_HUGE)
def test_what_a_pickle_only_claims_takes_no_memory(tmp_path: Path, data: bytes) -> None:
    tracemalloc.start()
    try:
        refusal(tmp_path, data)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "dtype",
    [
        Call(np.dtype, "f8", state=(3, "<", (np.dtype("f4"), (10**6,)), None, None, -1, -1, 0)),
        Call(np.dtype, "f8", state=(3, "<", None, ("a",), {"a": (np.dtype("f8"), 10**6)}, -1, -1, 0)),
    ],
    ids=["nested", "far field"],
)
def test_types_that_would_lead_out_of_the_array_are_plain(tmp_path: Path, dtype: Any) -> None:
    found = read(tmp_path, _array_of(dtype, (2, 3)))
    assert found.shape == (2, 3)
    assert (found == 0).all()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (VALUES[:, :2], "shape"),
        (VALUES.ravel(), "shape"),
        (VALUES[None], "shape"),
        (np.float64(1.0), "only NumPy arrays"),
        (VALUES.astype(np.int64), "floating-point numbers, not int64"),
        (VALUES > 0, "floating-point numbers, not bool"),
        (VALUES.astype(np.complex128), "c16"),
        (VALUES.astype("U5"), "plain numbers"),
        (VALUES.astype("datetime64[s]"), "plain numbers"),
        (np.array([[1, "x", None]], object), "plain numbers"),
        (np.zeros(5, "f4,f4,f4"), "plain numbers"),
        (np.where(VALUES > 2, np.nan, VALUES), "not finite"),
        (np.where(VALUES > 2, -np.inf, VALUES), "not finite"),
        (VALUES * 1e39, "not finite"),
        (VALUES.tolist(), "no NumPy array"),
        (None, "no NumPy array"),
        ({"pca": VALUES}, "no NumPy array"),
        (np.ma.masked_array(VALUES), "only NumPy arrays"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_array_of_vectors_is_refused(tmp_path: Path, value: object, reason: str) -> None:
    assert reason in refusal(tmp_path, pickle.dumps(value))


def test_an_array_without_rows_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, pickle.dumps(VALUES[:0])).shape == (0, 3)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        legacy_pickles.read(tmp_path / "no.pickle")


@pytest.mark.parametrize("data", [b"", b".", b"\x80", b"\x80\x09.", b"garbage", bytes(100), b"(" * 10_000 + b"."])
def test_garbage_is_refused(tmp_path: Path, data: bytes) -> None:
    refusal(tmp_path, data)


@pytest.mark.parametrize("protocol", [0, 2, 3, 5])
def test_a_damaged_pickle_is_refused_or_an_array(tmp_path: Path, protocol: int) -> None:
    choose = random.Random(protocol)
    sound = pickle.dumps(VALUES[:4], protocol)
    for cut in range(0, len(sound), 7):
        refusal(tmp_path, sound[:cut])
    for _ in range(600):
        data = bytearray(sound)
        for _ in range(choose.randint(1, 3)):
            data[choose.randrange(len(data))] = choose.randrange(256)
        try:
            found = read(tmp_path, bytes(data))
        except BadVectors:
            continue
        assert found.shape[1] == 3
        assert np.isfinite(found).all()


# Vectors on disk.


def test_vectors_come_back_as_they_were_mapped_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "vectors.npy"
    array = VALUES.astype(np.float32)
    vector_files.save(path, array)
    found = vector_files.load(path)
    np.testing.assert_array_equal(found, array)
    assert isinstance(found.base, np.memmap)
    assert not found.flags.writeable
    vector_files.save(path, array[:0])
    assert vector_files.load(path).shape == (0, 3)


@pytest.mark.parametrize("array", [VALUES, VALUES.astype(np.float32)[:, :2], VALUES.astype(np.float32).ravel()])
def test_a_file_of_something_else_is_refused(tmp_path: Path, array: NDArray[np.generic]) -> None:
    vector_files.save(tmp_path / "vectors.npy", array)
    with pytest.raises(BadVectors, match=r"not \(n, 3\) float32"):
        vector_files.load(tmp_path / "vectors.npy")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npy"
    vector_files.save(path, VALUES.astype(np.float32))
    sound = path.read_bytes()
    np.savez(tmp_path / "other.npz", VALUES)
    huge = sound.replace(b"(50, 3), }" + b" " * 20, b"(5" + b"0" * 21 + b", 3), }")
    assert len(huge) == len(sound)
    for data in (b"", b"x", sound[:-1], sound[:40], huge, (tmp_path / "other.npz").read_bytes()):
        path.write_bytes(data)
        with pytest.raises(BadVectors):
            vector_files.load(path)
    choose = random.Random(5)
    for _ in range(1000):
        changed = bytearray(sound)
        changed[choose.randrange(128)] = choose.randrange(256)
        path.write_bytes(changed)
        try:
            found = vector_files.load(path)
        except BadVectors:
            continue
        assert found.dtype == np.float32
        assert found.shape[1] == 3


def test_a_failure_while_writing_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail() -> None:
        with vector_files.replacing(path) as file:
            file.write(b"half")
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir() if found.is_file()] == ["file"]


def test_rows_that_come_in_blocks_are_one_array(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    blocks = [random.normal(size=(count, 7)).astype(np.float32) for count in (1, 999, 30)]
    path = tmp_path / "of blocks" / "rows.npy"
    with vector_files.writing_rows(path) as rows:
        for block in blocks:
            rows.append(block)
        assert not path.exists()
    assert np.array_equal(np.load(path, allow_pickle=False), np.concatenate(blocks))
    assert np.load(path, mmap_mode="r").shape == (1030, 7)
    with pytest.raises(OSError, match="full"):
        break_off(path, blocks[0])
    assert len(np.load(path)) == 1030
    assert [entry.name for entry in path.parent.iterdir()] == ["rows.npy"]


def break_off(path: Path, block: Any) -> None:
    with vector_files.writing_rows(path) as rows:
        rows.append(block)
        raise OSError("the disk is full")
