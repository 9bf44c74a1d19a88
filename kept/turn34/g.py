import sys, torch
from infogan_helpers.checkpoints import load_networks
from infogan_helpers.worlds import Faces
from infogan_helpers.judges import *
from infogan_helpers.evaluation import draw_images
from infogan_helpers.code_factors import code_factor_table
from infogan_helpers.quality import frechet_distance
from infogan_helpers.plots import image_grid
from pathlib import Path
W=Faces(); j=load_judge(W,Path("/work/exp")); T=W.images_and_factors(3000,12345,progress=False); real=judged(j,T.images)
for n in sys.argv[1:]:
    g,dq=load_networks(f"/work/runs/turn/{n}.safetensors"); c=g.spec.sample(3000,torch.Generator().manual_seed(1)); x=draw_images(g,c); s=judged(j,x)
    t=code_factor_table(c.continuous,s.values,W); print(n,"Fréchet",round(frechet_distance(s.features,real.features),2)); print(t.round(2).T.to_string())
    d=g.spec.sample(1,torch.Generator().manual_seed(3)); rows=[]
    for i in range(g.spec.continuous): rows.append(draw_images(g,d.replace(continuous=torch.zeros(1,g.spec.continuous)).sweep_continuous(i,torch.linspace(-1,1,10))))
    rows.append(x[:20]); rows.append(T.images[:20].float()/127.5-1)
    image_grid(torch.cat(rows),10,ink=False).savefig(f"/tmp/{n}.png",dpi=80)
