"""Refuse weights that don't make the model that config.json describes."""

from torch import nn

from ..errors import ModelError


def require_numbers(network: nn.Module) -> None:
    """Raises ModelError when a weight is NaN or infinite: no training makes a number of it again."""
    broken = [name for name, weight in network.named_parameters() if not _is_finite(weight)]
    if broken:
        raise ModelError(
            f"{len(broken)} of its tensors hold NaN or infinity, for instance {broken[0]}: the base model is "
            "broken; choose another, or a good copy of it"
        )


def require_most(missing: set[str], body: set[str]) -> list[str]:
    """What there is to say of `missing` parameters. Raises ModelError when most of the body is missing."""
    absent = sorted(missing)
    if len(absent) * 2 > len(body):
        raise ModelError(
            f"the weights are not of the architecture in config.json: {len(absent)} of {len(body)} tensors "
            f"of its body are missing, for instance {absent[0]}; save both anew"
        )
    return [f"made anew, since the weights lack them: {', '.join(absent[:8])}"] if absent else []


def require_sizes(mismatched: set[str]) -> None:
    """Raises ModelError when tensors of the body have another size than config.json says."""
    if mismatched:
        raise ModelError(f"config.json and weights differ in size, as in {min(mismatched)}; save both anew")


def _is_finite(weight: nn.Parameter) -> bool:
    """By the least and greatest, which are NaN when one is: isfinite() needs memory for each."""
    return not weight.numel() or all(bool(end.isfinite()) for end in weight.detach().aminmax())
