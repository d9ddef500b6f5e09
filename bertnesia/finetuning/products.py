"""bfloat16 products on processors that have none of their own."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

_aten = torch.ops.aten
_ROUNDED: dict[Callable[..., Any], int] = {
    _aten.mm.default: 1,
    _aten.addmm.default: 1,
    _aten.bmm.default: 1,
    _aten.baddbmm.default: 1,
    _aten._scaled_dot_product_flash_attention_for_cpu.default: 1,  # its second result is in float32 anyway
    _aten._scaled_dot_product_flash_attention_for_cpu_backward.default: 3,
}
"""Operations made of matrix products, and how many of their results have the type of what is multiplied."""


class RoundedProducts(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Takes products of bfloat16 matrices as float32 products of the same numbers, rounded to bfloat16 in the end.

    That is what a processor with bfloat16 instructions gives: exact products, sums in float32. Without them torch's own
    way is slower than float32 by far.
    """

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func not in _ROUNDED or not any(_is_bfloat16(one) for one in args):
            return func(*args, **(kwargs or {}))
        args, kwargs = tree_map_only(Tensor, _widened, (args, kwargs or {}))
        result = func(*args, **kwargs)
        if isinstance(result, Tensor):
            return result.bfloat16()
        rounded = _ROUNDED[func]
        return (*(one.bfloat16() for one in result[:rounded]), *result[rounded:])


def products_in_bfloat16(device: torch.device) -> AbstractContextManager[Any]:
    """Where bfloat16 products are to be taken fast: nothing to do where the device has them."""
    built = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    has_them = device.type != "cpu" or (built and torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return nullcontext() if has_them else RoundedProducts()  # type: ignore[no-untyped-call]


def _is_bfloat16(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.bfloat16


def _widened(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype == torch.bfloat16 else tensor
