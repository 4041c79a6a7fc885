from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest

from ferclean.datasets.published import label_arrays
from ferclean.errors import FercleanError
from fixtures.cifar_files import SETS, TEST, TRAIN, Command, ingest, put_set, read

VARIANTS = ("aggre_label", "worse_label", "random_label1", "random_label2", "random_label3")


def human(name, own=TRAIN, **arrays):
    """Arrays as CIFAR-N names them: each variant moves other rows' labels."""
    names = VARIANTS if name == "cifar10" else ("noisy_label",)
    found = {"clean_label": np.array(own)}
    for at, variant in enumerate(names, start=1):
        found[variant] = np.array(own)
        found[variant][at] = 0
        found[variant][at + 1] = 5
    return found | arrays


def put_labels(path, arrays, form):
    torch = pytest.importorskip("torch")
    file = path / f"human.{form.split()[0]}"
    if form.startswith("pt"):
        torch.save(arrays, file, _use_new_zipfile_serialization="old" not in form)
    elif form == "npz":
        np.savez(file, **arrays)
    else:
        columns = np.zeros(len(next(iter(arrays.values()))), [(name, "<i8") for name in arrays])
        for name, values in arrays.items():
            columns[name] = values
        np.save(file, columns)
    return str(file)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["pt", "pt old", "npz", "npy"])
@pytest.mark.parametrize(
    ("name", "variant"),
    [*(("cifar10", each) for each in VARIANTS), ("cifar100", "noisy_label")],
)
def test_every_variant_of_human_labels(tmp_path, name, variant, form):
    put_set(tmp_path / "data", name)
    arrays = human(name)
    labels_path = put_labels(tmp_path, arrays, form)
    table, quarantine, _ = ingest(tmp_path, name, labels_path=labels_path, variant=variant)
    assert len(quarantine) == 0
    frame = table.frame.set_index("sample_id")
    classes = SETS[name].classes
    train = frame.loc[[f"{name}-train-{row:05d}" for row in range(10)]]
    assert train["given"].tolist() == [classes[number] for number in arrays[variant]]
    assert train["true"].tolist() == [classes[number] for number in TRAIN]
    assert (train["given"] != train["true"]).sum() >= 1
    test = frame.loc[[f"{name}-test-{row:05d}" for row in range(3)]]
    assert test["given"].tolist() == test["true"].tolist() == [classes[n] for n in TEST]


@pytest.mark.parametrize(
    ("name", "first"), [("cifar10", "worse_label"), ("cifar100", "noisy_label")]
)
def test_the_first_variant_is_taken_where_none_is_named(tmp_path, name, first):
    put_set(tmp_path / "data", name, "binary")
    arrays = human(name)
    frame = read(tmp_path / "data", name, labels_path=put_labels(tmp_path, arrays, "pt")).frame
    assert frame["given"].tolist()[:10] == [SETS[name].classes[n] for n in arrays[first]]
    others = [values for key, values in arrays.items() if key != first]
    assert not any(np.array_equal(arrays[first], values) for values in others)


def test_columns_of_labels_are_read(tmp_path):
    put_set(tmp_path / "data", "cifar10")
    arrays = {name: values[:, None] for name, values in human("cifar10").items()}
    labels_path = put_labels(tmp_path, arrays, "pt")
    assert read(tmp_path / "data", labels_path=labels_path).frame["given"][2] == "airplane"


def test_a_human_label_that_is_none_is_quarantined(tmp_path):
    put_set(tmp_path / "data", "cifar10")
    worse = np.array([10, -1, *TRAIN[2:]])
    labels_path = put_labels(tmp_path, human("cifar10", worse_label=worse), "npz")
    table, quarantine, _ = ingest(tmp_path, labels_path=labels_path)
    assert len(table) == 11
    assert quarantine["reason"].tolist() == [
        "unknown label: '10 (no number 0 to 9)'",
        "unknown label: '-1 (no number 0 to 9)'",
    ]


def test_labels_of_another_order_are_refused(tmp_path):
    put_set(tmp_path / "data", "cifar10")
    own = [*TRAIN[:4], 8, TRAIN[5], 0, *TRAIN[7:]]
    labels_path = put_labels(tmp_path, human("cifar10", own), "pt")
    with pytest.raises(FercleanError, match=r"another order .* in 2 of 10 rows, first in row 4;"):
        read(tmp_path / "data", labels_path=labels_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"worse_label": np.array(TRAIN[:-1])}, r"'worse_label' has the shape \(9,\), but there"),
        ({"clean_label": np.array([TRAIN, TRAIN])}, r"'clean_label' has the shape \(2, 10\)"),
        ({"worse_label": np.array(TRAIN) / 1}, "'worse_label' must be an array of whole numbers"),
        ({"worse_label": TRAIN}, "'worse_label' must be an array of whole numbers"),
        ({"clean_label": None}, "'clean_label' must be an array of whole numbers"),
        ({"worse_label": np.array(TRAIN) > 3}, "'worse_label' must be an array of whole numbers"),
    ],
)
def test_arrays_that_are_no_labels(tmp_path, change, said):
    put_set(tmp_path / "data", "cifar10")
    labels_path = put_labels(tmp_path, human("cifar10") | change, "pt")
    with pytest.raises(FercleanError, match=rf"human\.pt: {said}"):
        read(tmp_path / "data", labels_path=labels_path)


@pytest.mark.parametrize("form", ["pt", "npz", "npy"])
@pytest.mark.parametrize("lost", ["clean_label", "worse_label"])
def test_a_file_without_the_labels_that_are_asked_for(tmp_path, form, lost):
    put_set(tmp_path / "data", "cifar10")
    arrays = human("cifar10")
    arrays["other"] = arrays.pop(lost)
    labels_path = put_labels(tmp_path, arrays, form)
    with pytest.raises(FercleanError, match=rf"has no labels '{lost}' \(found: .*other"):
        read(tmp_path / "data", labels_path=labels_path)


def test_settings_that_do_not_go_together(tmp_path):
    put_set(tmp_path / "data", "cifar10")
    with pytest.raises(FercleanError, match=r"data\.labels_path \(from .*noisylabels.*leave data"):
        read(tmp_path / "data", variant="worse_label")
    labels_path = put_labels(tmp_path, human("cifar10"), "npz")
    with pytest.raises(FercleanError, match=r"data\.variant 'noisy_label'.*worse_label, aggre"):
        read(tmp_path / "data", labels_path=labels_path, variant="noisy_label")
    for path, said in [("labels.csv", r"must name a \.pt, \.npz or \.npy"), ("x.pt", "is no file")]:
        with pytest.raises(FercleanError, match=said):
            read(tmp_path / "data", labels_path=str(tmp_path / path))


def zip_of(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def npy(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def huge_npy():
    stream = io.BytesIO()
    header = {"descr": "<i8", "fortran_order": False, "shape": (10**13,)}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + b"\0" * 80


HUGE = huge_npy()
PICKLED = npy(np.array({"clean_label": 1}, dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    ("file", "data", "said"),
    [
        ("x.pt", b"", "is damaged"),
        (
            "x.pt",
            zip_of({"x/data.pkl": pickle.dumps(Command("true"), 2)}),
            r"names 'posix\.system'",
        ),
        ("x.npz", b"PK\x03\x04", "holds no plain arrays of numbers"),
        ("x.npz", zip_of({"clean_label.npy": PICKLED}), "holds no plain arrays of numbers"),
        ("x.npz", zip_of({"clean_label.npy": HUGE}), "holds no plain arrays of numbers"),
        ("x.npy", b"", "holds no plain arrays of numbers"),
        ("x.npy", HUGE, "holds no plain arrays of numbers"),
        ("x.npy", PICKLED, r"holds no plain arrays .*use the \.pt file of http://www\.noisylabels"),
        ("x.npy", pickle.dumps(Command("true"), 2), "holds no plain arrays of numbers"),
        ("x.npy", npy(np.zeros(10, dtype=np.int64)), r"no labels 'clean_label' \(found: none\)"),
    ],
)
def test_files_that_hold_no_labels(tmp_path, file, data, said):
    put_set(tmp_path / "data", "cifar10")
    (tmp_path / file).write_bytes(data)
    with pytest.raises(FercleanError, match=said):
        read(tmp_path / "data", labels_path=str(tmp_path / file))


def test_files_that_are_or_unpack_to_too_much(tmp_path, monkeypatch):
    put_set(tmp_path / "data", "cifar10")
    monkeypatch.setattr(label_arrays, "LARGEST_LABEL_FILE", 3000)
    arrays = {f"{name}.npy": npy(values) for name, values in human("cifar10").items()}
    (tmp_path / "x.npz").write_bytes(zip_of(arrays))
    assert "true" in read(tmp_path / "data", labels_path=str(tmp_path / "x.npz")).frame
    (tmp_path / "x.npz").write_bytes(zip_of(arrays | {"bomb.npy": npy(np.zeros(4000))}))
    with pytest.raises(FercleanError, match=r"announces 32128 bytes in 'bomb\.npy', too many"):
        read(tmp_path / "data", labels_path=str(tmp_path / "x.npz"))
    (tmp_path / "x.pt").write_bytes(b"\0" * 3001)
    with pytest.raises(FercleanError, match=r"x\.pt has 3001 bytes, too many for a file of labels"):
        read(tmp_path / "data", labels_path=str(tmp_path / "x.pt"))
