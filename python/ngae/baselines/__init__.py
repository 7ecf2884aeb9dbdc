"""Published models, reproduced exactly, to compare with."""

__all__ = ["dvae"]
