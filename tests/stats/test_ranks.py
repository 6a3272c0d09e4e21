import numpy as np
import pytest

from carpus.stats import rank_stability


def test_a_model_that_always_wins_has_rank_1_always() -> None:
    generator = np.random.default_rng(0)
    worse = generator.random((200, 2))
    found = rank_stability(np.column_stack([worse, np.full(200, 2.0)]), better="higher")
    assert found.shares[2].tolist() == [1, 0, 0]
    assert found.rank_intervals[2].tolist() == [1, 1]
    assert found.mean_rank[:2] == pytest.approx([2.5, 2.5], abs=0.15)


def test_lower_is_better_turns_the_ranking_round() -> None:
    replicates = np.random.default_rng(1).random((50, 3))
    high, low = (rank_stability(replicates, better=better) for better in ("higher", "lower"))
    assert low.shares == pytest.approx(high.shares[:, ::-1])
    assert low.mean_rank == pytest.approx(4 - high.mean_rank)


def test_tied_models_share_their_ranks() -> None:
    found = rank_stability(np.array([[0.9, 0.9, 0.1]]), better="higher")
    assert found.shares.tolist() == [[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 1]]
    assert found.mean_rank.tolist() == [1.5, 1.5, 3]


def test_rows_and_columns_of_the_shares_add_up_to_1() -> None:
    replicates = np.random.default_rng(2).integers(0, 3, (80, 4)).astype(float)
    shares = rank_stability(replicates, better="higher").shares
    assert shares.sum(axis=0) == pytest.approx(np.ones(4))
    assert shares.sum(axis=1) == pytest.approx(np.ones(4))


def test_agreement_is_1_for_one_order_and_about_0_for_chance() -> None:
    spread = np.random.default_rng(3).random((300, 6))
    assert rank_stability(spread / 100 + np.arange(6), better="higher").agreement == pytest.approx(1)
    assert abs(rank_stability(spread, better="higher").agreement) < 0.25


def test_replicates_with_an_undefined_model_are_left_out() -> None:
    replicates = np.array([[0.9, np.nan], [0.8, 0.9]])
    assert rank_stability(replicates, better="higher").mean_rank.tolist() == [2, 1]
    assert np.isnan(rank_stability(replicates[:1], better="higher").mean_rank).all()
