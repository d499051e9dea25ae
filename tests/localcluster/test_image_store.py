from pathlib import Path

import pytest

from localcluster import LocalClusterError, image_store


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_each_running_cluster_has_its_own_folder_and_a_later_one_takes_over() -> None:
    first, first_lock = image_store.claim()
    second, second_lock = image_store.claim()
    first_lock.close()
    third, third_lock = image_store.claim()
    assert first != second
    assert third == first
    second_lock.close()
    third_lock.close()


def test_only_the_first_folder_outlasts_its_cluster() -> None:
    first, first_lock = image_store.claim()
    second, second_lock = image_store.claim()
    third, third_lock = image_store.claim()
    for folder in (first, second, third):
        (folder / "layers").mkdir()
    second_lock.close()
    image_store.drop_idle()
    first_lock.close()
    image_store.drop_idle()
    third_lock.close()
    kept = [folder for folder in (first, second, third) if (folder / "layers").exists()]
    assert kept == [first, third]


def test_images_in_use_are_not_cleared() -> None:
    folder, lock = image_store.claim()
    with pytest.raises(LocalClusterError, match="uses the images"):
        image_store.clear()
    lock.close()
    image_store.clear()
    assert not folder.exists()
