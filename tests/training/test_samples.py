import pytest
from hypothesis import given
from hypothesis import strategies as st

from carpus.data.torch_datasets import EpochSampler
from carpus.training.samples import Batches


@given(
    length=st.integers(1, 60),
    batch_size=st.integers(1, 16),
    processes=st.integers(1, 4),
    drop_last=st.booleans(),
    epoch=st.integers(0, 3),
)
def test_processes_together_see_the_batches_of_one(
    length: int, batch_size: int, processes: int, drop_last: bool, epoch: int
) -> None:
    sampler = EpochSampler(length, seed=4, shuffle=True)
    sampler.set_epoch(epoch)
    alone = list(Batches(sampler, batch_size, drop_last=drop_last))
    parts = [
        list(Batches(sampler, batch_size, rank=rank, processes=processes, drop_last=drop_last))
        for rank in range(processes)
    ]
    together = sorted(key for part in parts for batch in part for key in batch)
    assert together == sorted(key for batch in alone for key in batch)
    if drop_last and batch_size % processes == 0:
        for step, batch in enumerate(alone):
            shares = [part[step] for part in parts]
            assert [key for share in shares for key in share] == batch
            assert {len(share) for share in shares} == {batch_size // processes}


@pytest.mark.parametrize(("drop_last", "sizes"), [(False, [4, 4, 2]), (True, [4, 4])])
def test_an_incomplete_batch_is_left_out_only_if_asked(drop_last: bool, sizes: list[int]) -> None:
    batches = Batches(EpochSampler(10, seed=0, shuffle=False), 4, drop_last=drop_last)
    assert [len(batch) for batch in batches] == sizes
    assert len(batches) == len(sizes)
