"""Records: nothing is lost, nothing is mixed, and what cannot be kept is said first."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from verification.environment import (
    PINNED,
    PORTABLE,
    REMOVED,
    pinned_environment,
    portable_environment,
    provenance,
    versions,
)
from verification.record import (
    Recorder,
    RecordError,
    RecordLocked,
    check_room,
    jsonable,
    read,
    read_counting,
)


def test_a_row_comes_back_as_it_went(tmp_path: Path) -> None:
    row = {"a": 1, "b": 0.1, "c": None, "d": [1.5, "x"], "e": math.inf, "f": -math.inf, "g": "é|<", "h": True}
    with Recorder(tmp_path / "r.jsonl") as record:
        record.append(row)
        record.append(row | {"a": np.float64(0.1), "d": (np.int64(3), np.bool_(True))})
    first, second = read(tmp_path / "r.jsonl")
    assert first == row
    assert (second["a"], second["d"]) == (0.1, [3, True])


def test_every_line_is_json_for_any_reader(tmp_path: Path) -> None:
    with Recorder(tmp_path / "r.jsonl") as record:
        record.append({"nan": math.nan, "inf": math.inf, "low": -math.inf})

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is not JSON")

    row = json.loads((tmp_path / "r.jsonl").read_text(), parse_constant=refuse)
    assert row == {"nan": None, "inf": "inf", "low": "-inf"}


def test_a_row_has_the_same_form_whether_it_had_to_be_made_jsonable_or_not(tmp_path: Path) -> None:
    plain = {
        "a": 0.1,
        "b": [1, True, None, "é\ud800"],
        "c": {"d": -0.0, "e": 1e300, "f": 5e-324},
        "g": (1, 2),
    }
    numbers = {"a": np.float64(0.1), "b": np.float64(1e-300)}
    with Recorder(tmp_path / "r.jsonl") as record:
        for row in (plain, numbers):
            record.append(row)
            record.append({**row, "a": np.float32(0.5)})  # not a Python float: the slow way
            record.append({**row, "a": 0.5})
    lines = (tmp_path / "r.jsonl").read_bytes().splitlines()
    assert lines[1] == lines[2]
    assert lines[4] == lines[5]
    assert read(tmp_path / "r.jsonl")[0] == jsonable(plain)
    assert read(tmp_path / "r.jsonl")[3] == jsonable(numbers)


def test_what_is_no_data_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot hold a ndarray"):
        jsonable({"coef": np.zeros(3)})
    assert jsonable(frozenset("ba")) == ["a", "b"]
    assert jsonable(Path("x")) == "x"


def test_a_row_is_on_the_disk_when_append_returns(tmp_path: Path) -> None:
    record = Recorder(tmp_path / "r.jsonl")
    record.append({"a": 1})
    assert read(tmp_path / "r.jsonl") == [{"a": 1}]
    record.close()


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with Recorder(path) as record:
        record.append({"a": 1})
    with path.open("ab") as file:
        file.write(b'{"a": 2, "text": "\xc3')  # killed in the middle of a character
    assert read_counting(path) == ([{"a": 1}], 1)
    torn = path.read_bytes()
    with Recorder(path) as record:
        record.append({"a": 3})
    first, mark, last = read(path)
    assert (first, last) == ({"a": 1}, {"a": 3})
    assert mark["kind"] == "torn"
    assert "cut short after 19 bytes" in mark["message"]
    assert read_counting(path)[1] == 1
    assert path.read_bytes().startswith(torn + b"\n"), "what is written is never edited"


def test_a_line_that_only_lacks_its_end_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2}')
    with Recorder(path) as record:
        record.append({"a": 3})
    assert read_counting(path) == ([{"a": 1}, {"a": 2}, {"a": 3}], 0)


def test_a_long_torn_line_and_one_that_is_no_row_are_torn(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"a": 1}\n\0\0\0\0\n12\n{"text": "' + b"x" * 200_000)
    with Recorder(path) as record:
        record.append({"a": 2})
    rows, torn = read_counting(path)
    assert [row.get("a") for row in rows] == [1, None, 2]
    assert "after 200010 bytes" in rows[1]["message"]
    assert torn == 3


def test_what_has_no_utf8_is_written_all_the_same(tmp_path: Path) -> None:
    row = {"message": "a library said \ud800 and \u00e9"}
    with Recorder(tmp_path / "r.jsonl") as record:
        record.append(row)
    assert read(tmp_path / "r.jsonl") == [row]


def test_two_runs_do_not_mix(tmp_path: Path) -> None:
    with Recorder(tmp_path / "r.jsonl"), pytest.raises(RecordLocked, match="another run"):
        Recorder(tmp_path / "r.jsonl")
    Recorder(tmp_path / "r.jsonl").close()  # the lock went with its holder


WRITER = """
import sys
from verification.record import Recorder
with Recorder(sys.argv[1]) as record:
    k = 0
    while True:
        record.append({"k": k, "padding": "x" * 1000})
        k += 1
"""


def test_a_writer_that_is_killed_loses_at_most_one_row(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    root = str(Path(__file__).parent.parent)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], env={**os.environ, "PYTHONPATH": root}
    ) as writer:
        deadline = time.monotonic() + 60
        while not path.exists() or path.stat().st_size < 20_000:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(writer.pid, signal.SIGKILL)
    rows, torn = read_counting(path)
    assert [row["k"] for row in rows] == list(range(len(rows)))
    assert torn <= 1


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="nothing was measured"):
        check_room(tmp_path / "file" / "results")
    with pytest.raises(RecordError, match="cannot write records"):
        Recorder(tmp_path / "file" / "r.jsonl")


def test_a_full_disk_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    check_room(tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(RecordError, match="MB left"):
        check_room(tmp_path, needed=10**18)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device without room")
def test_a_disk_that_fills_up_keeps_every_row_before() -> None:
    record = Recorder("/dev/full")
    with pytest.raises(RecordError, match="every row before this one is safe"):
        record.append({"a": 1})
    record.close()


def test_a_measuring_process_is_pinned_and_its_blas_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    for name in REMOVED:
        monkeypatch.setenv(name, "1")
    environment = pinned_environment(2, EXTRA="yes")
    assert {environment[name] for name in PINNED} == {"2"}
    assert not set(REMOVED) & set(environment)
    assert environment["EXTRA"] == "yes"


def test_portable_digits_need_one_kernel_whatever_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "SkylakeX")
    environment = pinned_environment(**portable_environment())
    assert {name: environment[name] for name in PORTABLE} == PORTABLE
    code = "import numpy; print(numpy.show_config(mode='dicts')['SIMD Extensions'].get('found', []))"
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert said.stdout.strip() == b"[]"


def test_provenance_names_what_a_time_depends_on() -> None:
    about = provenance(["scikit-learn", "no-such-distribution"])
    assert about["packages"]["numpy"] == np.__version__
    assert about["packages"]["no-such-distribution"] is None
    assert about["cpu"]
    assert about["cores_allowed"] >= 1
    assert any(pool["user_api"] == "blas" for pool in about["blas"])
    assert set(about) >= {"python", "os", "memory_gb", "commit", "dirty", "load", "argv"}
    assert jsonable(about) == json.loads(json.dumps(jsonable(about)))
    assert versions(["numpy"]) == {"numpy": np.__version__}
