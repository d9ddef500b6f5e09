"""bfloat16 products without bfloat16 instructions: the numbers that the instructions would give."""

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from bertnesia.finetuning.products import RoundedProducts, products_in_bfloat16

Product = Callable[[Tensor, Tensor, Tensor], Tensor]
PRODUCTS: dict[str, Product] = {
    "mm": lambda a, b, c: torch.mm(a[0], b[0]),
    "addmm": lambda a, b, c: torch.addmm(c, a[0], b[0]),
    "bmm": lambda a, b, c: torch.bmm(a, b),
    "baddbmm": lambda a, b, c: torch.baddbmm(c.expand(2, 5, 4), a, b),
    "linear": lambda a, b, c: torch.nn.functional.linear(a, b[0].T, c),
}


def numbers(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).bfloat16()


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_are_exact_up_to_the_last_rounding(name: str) -> None:
    given = numbers(2, 5, 64, seed=0), numbers(2, 64, 4, seed=1), numbers(4, seed=2)
    with RoundedProducts():
        found = PRODUCTS[name](*given)
    exact = PRODUCTS[name](*(one.double() for one in given))
    assert found.dtype == torch.bfloat16
    # bfloat16 keeps 8 bits; where terms cancel out, float32's own sums may round to the neighbour.
    torch.testing.assert_close(found.double(), exact, rtol=2**-8, atol=1e-5)


def attention(queries: Tensor, keys: Tensor, values: Tensor) -> list[Tensor]:
    """Attention with a mask, and the slopes of its three inputs."""
    inputs = [one.clone().requires_grad_() for one in (queries, keys, values)]
    mask = torch.ones(7, 7, dtype=torch.bool).tril()
    out = scaled_dot_product_attention(*inputs, attn_mask=mask)
    out.float().square().sum().backward()
    return [out, *(one.grad for one in inputs if one.grad is not None)]


def test_attention_is_that_of_torch() -> None:
    given = [numbers(2, 3, 7, 16, seed=seed) for seed in range(3)]
    with RoundedProducts():
        found = attention(*given)
    exact = attention(*(one.double() for one in given))
    assert [one.dtype for one in found] == [torch.bfloat16] * 4
    for mine, theirs in zip(found, exact, strict=True):
        error = (mine.double() - theirs).norm() / theirs.norm()
        assert error < 2**-7


def test_other_products_stay_as_they_are() -> None:
    a, b = numbers(20, 30, seed=0).float(), numbers(30, 10, seed=1).float()
    with RoundedProducts():
        plain = a @ b
        assert plain.dtype == torch.float32
        assert torch.equal((a.bfloat16() + a.bfloat16()), (a + a).bfloat16())
    assert torch.equal(a @ b, plain)


def test_only_processors_without_them_need_help() -> None:
    supported = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    assert isinstance(products_in_bfloat16(torch.device("cpu")), nullcontext if supported else RoundedProducts)
    assert isinstance(products_in_bfloat16(torch.device("cuda")), nullcontext)
