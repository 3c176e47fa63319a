from __future__ import annotations

from unittest import mock

import pytest

from benchmarks.pieces import PIECES, Piece


@pytest.mark.parametrize("piece", [*PIECES.values()], ids=[*PIECES])
def test_every_patch_of_a_benchmark_fits_the_code(piece: Piece) -> None:
    try:
        piece.put_back()
    finally:
        mock.patch.stopall()
