"""Parts that turn a Dag into a runnable `torch.nn.Module`; this room knows no search space."""

from ngae.networks.macro import OPERATIONS, MacroConfig, macro_complexities, macro_complexity

__all__ = ["OPERATIONS", "MacroConfig", "macro_complexities", "macro_complexity"]
