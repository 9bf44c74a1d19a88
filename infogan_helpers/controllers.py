"""A controller that sets a weight, step by step, so that what is measured stays at a set point.

Built by hand in notebook 09. Not here: which weight, and what is measured, which are the methods.
"""

import torch

from infogan_helpers.arguments import number, scalar, takes


@takes(error=scalar, integral=scalar, output=scalar, proportional=number, gain=number, least=number)
@torch.no_grad()
def control(error, integral, output, *, proportional, gain, least):
    """The next weight: ``proportional / (1 + exp(error)) + integral + least``, and never below ``least``.

    Args:
        error: set point less what was measured, in nats, a scalar tensor; where a larger weight makes the measured
            *rise*, its negative.
        integral: the integral part, a scalar tensor, changed in place; it starts at 0.
        output: what came out of the last step before it was cut off at ``least``, a scalar tensor, changed in place; it
            starts at ``least``.
        proportional: what the weight gains at once where far too much is measured; half of it where the error is 0.
        gain: what each nat too much adds to the integral in every step, and each nat too little takes away.
        least: the smallest weight.

    Returns:
        A scalar tensor.

    The integral rests in every step after one that came out below ``least`` (anti-windup). That has a trap: once an
    error of too many nats has taken it below ``-proportional``, nothing lifts the output again, and the weight stays at
    ``least`` for good. So a set point begins near what is measured, and moves slowly.

    Source: Shao et al. 2020, algorithm 1, as in the authors' ``Disentangling/P_PID.py``.
    """
    integral.copy_(torch.where(output < least, integral, integral - gain * error))
    output.copy_(proportional * torch.sigmoid(-error) + integral + least)
    return output.clamp_min(least)
