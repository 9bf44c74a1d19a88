import sys, torch
torch.set_num_threads(1)
from infogan_helpers.checkpoints import load_networks
from infogan_helpers.evaluation import draw_images
from infogan_helpers.plots import image_grid
from infogan_helpers.worlds import *
p = sys.argv[1]; g, q = load_networks(p); spec = g.spec
d = spec.sample(1, torch.Generator().manual_seed(int(sys.argv[3]) if len(sys.argv) > 3 else 3)); rows = []
for i in range(spec.continuous): rows.append(draw_images(g, d.sweep_continuous(i, torch.linspace(-1, 1, 10))))
for i in range(spec.circular):
    for s in range(3):
        dd = spec.sample(1, torch.Generator().manual_seed(s)); rows.append(draw_images(g, dd.sweep_circular(i, torch.linspace(-3.14159, 3.14159, 11)[:10])))
rows.append(draw_images(g, spec.sample(20, torch.Generator().manual_seed(5))))
image_grid(torch.cat(rows), 10, ink=False, scale=.9).savefig(sys.argv[2], dpi=80)
