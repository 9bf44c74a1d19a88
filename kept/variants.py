import re, math
from dataclasses import replace
import torch, torch.nn.functional as F
from infogan_helpers.methods import digits
from infogan_helpers import transforms as T, games
from infogan_helpers.schedules import Ramp, at
from infogan_helpers.losses import answer_information
from infogan_helpers.training import *

STATE = {"noise": 1.0, "last": None, "steps": 4000}
_style = T.random_style

def elastic(images, amp, k, generator, keep=(), aspect=None):
    n, _, h, w = images.shape
    field = torch.randn(n, 2, k, k, generator=generator, device=images.device)
    field = F.interpolate(field, size=(h, w), mode="bicubic", align_corners=True)
    grid = F.affine_grid(torch.eye(2, 3).expand(n, 2, 3), list(images.shape), align_corners=False)
    grid = grid + (2 * amp / w) * field.permute(0, 2, 3, 1)
    return 2 * F.grid_sample((images + 1) / 2, grid, align_corners=False).clamp(0, 1) - 1

def r1(gamma):
    def penalty(dq, real, fake, generator):
        x = real.detach().requires_grad_()
        logit, _ = dq(x)
        (s,) = torch.autograd.grad(logit.sum(), x, create_graph=True)
        return gamma / 2 * s.flatten(1).square().sum(1).mean()
    return games.Game(games.discriminator_loss, games.generator_loss, penalty)

class Config(digits.Config):
    pass

def apply(name, c):
    STATE["steps"] = c.steps
    strength = 1.0
    for part in name.split("+"):
        m = re.fullmatch(r"([a-z]+)(?:([\d.]+)(?:k(\d+))?)?", part); key, val, k = m.groups()
        val = float(val) if val else None
        if key == "base": pass
        elif key == "elastic":
            kk = int(k or 4)
            def styled(images, generator=None, strength=1.0, keep=(), amp=val, kk=kk):
                return elastic(_style(images, generator, strength, keep), amp, kk, generator)
            digits.random_style = styled
        elif key == "elastreal":   # only on real copies (no keep)
            kk = int(k or 4)
            def styled(images, generator=None, strength=1.0, keep=(), amp=val, kk=kk):
                x = _style(images, generator, strength, keep)
                return x if keep else elastic(x, amp, kk, generator)
            digits.random_style = styled
        elif key == "nobend": T.BEND = 0.0
        elif key == "last": STATE["last"] = val
        elif key == "rone":
            games.GAMES["standard"] = r1(val); c = replace(c, norm="none", betas=(0.0, 0.99))
        elif key == "strokes": c = replace(c, stray_strokes=val)
        elif key == "half": c = replace(c, consistency=Ramp(0.0, 0.3, 0.0, 1.0), lambda_categorical=Ramp(0.175, 0.4, 0.1, 1.0), lambda_continuous=Ramp(0.5, 0.625, 0.0, 0.5), instance_noise=Ramp(0.0, 0.8, 0.3, 0.0))
        elif key == "consearly": c = replace(c, consistency=Ramp(0.0, 0.15, 0.0, val))
        elif key in ("three", "threeplus"):
            T.ASPECTS = digits.ASPECTS = (*T.ASPECTS, "nothing")
            c = replace(c, keep=("nothing", "lean", "stroke"))
            plus = key == "threeplus"
            def make_copies(fake, real, config, generator):
                n, copies = len(fake), digits.random_style(fake, generator, config.augment, config.keep)
                copies = torch.cat([copies, digits.random_style(real, generator, config.augment)])
                shares = torch.full((len(copies),), config.stray_strokes)
                shares[1:n:3] = 0
                return T.add_stray_strokes(copies, shares, generator)
            def read_copies(dq, fake, real, on_fake, config, generator):
                n, copies = len(fake), make_copies(fake, real, config, generator)
                _, read = dq(copies)
                posterior, on_copy = read.rows(slice(0, n)), read.rows(slice(n, None))
                row = torch.arange(n)[:, None] % 3
                mask = row == torch.arange(3)[None]
                if plus: mask[:, 0] = row[:, 0] != 1
                return posterior, mask, on_copy
            digits.make_copies, digits.read_copies = make_copies, read_copies
        elif key == "consflat": c = replace(c, consistency=val)
        elif key == "nokeep": c = replace(c, keep=())
        elif key == "shear": T.SHEAR = val
        elif key == "rot": T.ROTATION = val
        elif key == "scale": T.LOG_SCALE = val
        elif key == "dinit": STATE["dinit"] = True
        elif key == "ronebn": games.GAMES["standard"] = r1(val)
        elif key == "beta": c = replace(c, betas=(val, 0.99))
        elif key == "nostrokes": c = replace(c, stray_strokes=0.0)
        elif key == "noinst": c = replace(c, instance_noise=0.0)
        elif key == "nogain": c = replace(c, code_gain=1.0)
        elif key == "gain": c = replace(c, code_gain=val)
        elif key == "notrunk": c = replace(c, information_trains_trunk=False)
        elif key == "noreal": c = replace(c, consistency=0.0)
        elif key == "nocons":
            digits.inconsistency = lambda a, b: sum(-answer_information(x) for x in a.categorical_logits)
        elif key == "noinfo":
            digits.inconsistency = lambda a, b: sum(F.cross_entropy(y, x.detach().softmax(1)) for x, y in zip(a.categorical_logits, b.categorical_logits))
        elif key == "copyinfo":  # information of the mean of both answers
            def inc(a, b):
                return sum(F.cross_entropy(y, x.detach().softmax(1)) - answer_information(torch.cat([x, y])) for x, y in zip(a.categorical_logits, b.categorical_logits))
            digits.inconsistency = inc
        elif key == "iic":  # mutual information of the answers on image and copy (Ji et al. 2019)
            def inc(a, b):
                tot = 0
                for x, y in zip(a.categorical_logits, b.categorical_logits):
                    j = x.softmax(1).T @ y.softmax(1) / len(x); j = (j + j.T) / 2; j = j.clamp_min(1e-8)
                    pi, pj = j.sum(1, keepdim=True), j.sum(0, keepdim=True)
                    tot = tot - (j * (j.log() - pi.log() - pj.log())).sum()
                return tot
            digits.inconsistency = inc
        elif key == "infotwo":
            def inc(a, b, w=val):
                return sum(F.cross_entropy(y, x.detach().softmax(1)) - w * answer_information(x) for x, y in zip(a.categorical_logits, b.categorical_logits))
            digits.inconsistency = inc
        elif key == "even":
            def inc(a, b, w=val):
                tot = 0
                for x, y in zip(a.categorical_logits, b.categorical_logits):
                    p = x.softmax(1); m = p.mean(0)
                    tot = tot + F.cross_entropy(y, p.detach()) - w * torch.special.entr(m).sum() + torch.special.entr(p).sum(1).mean()
                return tot
            digits.inconsistency = inc
        elif key == "evence":
            def inc(a, b, w=val):
                return sum(F.cross_entropy(y, x.detach().softmax(1)) - w * torch.special.entr(x.softmax(1).mean(0)).sum() for x, y in zip(a.categorical_logits, b.categorical_logits))
            digits.inconsistency = inc
        elif key == "evenonly":
            def inc(a, b, w=val):
                tot = 0
                for x in a.categorical_logits:
                    p = x.softmax(1); m = p.mean(0)
                    tot = tot - w * torch.special.entr(m).sum() + torch.special.entr(p).sum(1).mean()
                return tot
            digits.inconsistency = inc
        elif key == "cons": c = replace(c, consistency=Ramp(0.15, 0.3, 0.0, val))
        elif key == "consfrom": c = replace(c, consistency=Ramp(val, val + 0.15, 0.0, 0.5))
        elif key == "conslow": c = replace(c, consistency=Ramp(0.0, 0.3, 0.0, 0.5))
        elif key == "conslong": c = replace(c, consistency=Ramp(0.14, val, 0.0, 0.5))
        elif key == "consnow": c = replace(c, consistency=Ramp(0.14, 0.15, 0.0, val))
        elif key == "lamlate": c = replace(c, lambda_categorical=Ramp(val, val + 0.1125, 0.1, 1.0))
        elif key == "flatlam": c = replace(c, lambda_categorical=val)
        elif key == "inst": c = replace(c, instance_noise=Ramp(0.0, 0.5, val, 0.0))
        elif key == "aug": c = replace(c, augment=val)
        elif key == "batch": c = replace(c, batch_size=int(val))
        elif key == "lr": c = replace(c, learning_rate_g=val, learning_rate_d=val, learning_rate_q=val)
        elif key == "lrfall": c = replace(c, learning_rate_factor=Ramp(val, 1.0, 1.0, 0.02))
        elif key == "lrq": c = replace(c, learning_rate_q=val)
        elif key == "fixedvar": c = replace(c, variance="fixed")
        elif key == "latecont": c = replace(c, lambda_continuous=Ramp(val, val + .125, 0.0, 0.5))
        elif key == "nosched": c = replace(c, learning_rate_factor=1.0, lambda_categorical=1.0, lambda_continuous=0.5)
        elif key == "width": c = replace(c, width=val)
        else: raise SystemExit("unknown " + part)
    return c

def after_make(p, spec, config):
    if STATE.get("dinit"):
        for net in (p.discriminator_q,):
            for mod in net.modules():
                if isinstance(mod, (torch.nn.Linear, torch.nn.Conv2d)): mod.reset_parameters()
    if STATE["last"]:
        STATE["noise"] = 0.0
        p.generator.register_forward_pre_hook(lambda mod, a: (replace(a[0], noise=a[0].noise * STATE["noise"]),))

def after_step(p, step):
    if STATE["last"]:
        STATE["noise"] = min(1.0, step / STATE["steps"] / STATE["last"])

def before_score(p): pass
