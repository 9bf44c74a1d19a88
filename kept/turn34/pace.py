# PATCH: circle moves pictures at an even pace
import torch
PACE = float(os.environ.get("PACE", "1"))
_desc = noise_last.descend
_lb = noise_last.lower_bound
hold = {}
def lb(posterior, codes, spec_):
    if len(codes.continuous) == config.batch_size: hold["codes"] = codes
    return _lb(posterior, codes, spec_)
def desc(losses):
    p = seen["p"]; codes = hold["codes"]
    amount = noise_last.at(config.noise, hold.get("t", 0) / config.steps); hold["t"] = hold.get("t", 0) + 1
    c = codes.replace(noise=amount * codes.noise)
    d = 0.15
    a = p.generator(c.replace(circular=c.circular - d)); b = p.generator(c.replace(circular=c.circular + d))
    pace = (a - b).flatten(1).square().sum(1)
    loss = pace.square().mean() / pace.mean().square() - 1
    hold["pace"] = float(loss)
    losses[p.optimizer_g] = losses[p.optimizer_g] + PACE * loss
    return _desc(losses)
noise_last.lower_bound, noise_last.descend = lb, desc
