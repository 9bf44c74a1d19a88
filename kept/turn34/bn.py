import torch, sys
from infogan_helpers.checkpoints import load_networks
from infogan_helpers.worlds import Faces
from infogan_helpers.judges import *
from infogan_helpers.evaluation import draw_images
from infogan_helpers.quality import frechet_distance
from pathlib import Path
W=Faces(); j=load_judge(W,Path("/work/exp")); T=W.images_and_factors(3000,12345,progress=False); real=judged(j,T.images).features
for n in sys.argv[1:]:
    g,dq=load_networks(f"/work/runs/turn/{n}.safetensors"); c=g.spec.sample(3000,torch.Generator().manual_seed(1))
    f=lambda c: round(frechet_distance(judged(j,draw_images(g,c)).features,real),1)
    print(n,"as is",f(c),"half noise",f(c.replace(noise=.5*c.noise)),"no noise",f(c.replace(noise=0*c.noise)))
    for l in g.modules():
        if hasattr(l,"running_mean"): l.reset_running_stats(); l.momentum=None
    g.train()
    with torch.no_grad():
        for i in range(20): g(g.spec.sample(128,torch.Generator().manual_seed(50+i)))
    g.eval(); print("  BN anew",f(c))
    x=draw_images(g,c[:1000]); 
    print("  D's logits: fakes",float(dq(x)[0].mean().detach()),"real",float(dq(T.images[:1000].float()/127.5-1)[0].mean().detach()))
