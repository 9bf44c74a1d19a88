import sys, torch, json
from safetensors import safe_open
from infogan_helpers.methods import noise_last
from infogan_helpers.world_presets import WORLD_PRESETS
from infogan_helpers.tensor_files import load_tensors
from infogan_helpers.judges import load_judge, judged
from infogan_helpers.evaluation import draw_images, read_codes
from infogan_helpers.code_factors import as_columns, code_factor_table
from infogan_helpers.quality import frechet_distance
from infogan_helpers.plots import image_grid
torch.set_num_threads(1)
run=sys.argv[1]; name=run.split("-")[0]
W,spec=WORLD_PRESETS[name].world(),WORLD_PRESETS[name].spec
t,m=load_tensors(f"/work/runs/worlds32/{run}.run/checkpoint.safetensors")
p=noise_last.make(spec,W.image_shape,noise_last.Config())
for k in ("average_g","average_dq"): getattr(p,k).load_state_dict({n.removeprefix(k+"."):x for n,x in t.items() if n.startswith(k+".")})
noise_last.finish(p,torch.zeros(1,*W.image_shape),spec,noise_last.Config())
done=m["steps"]/16000; a=noise_last.Config().noise(done)
T=W.images_and_factors(5000,12345,progress=False); j=load_judge(W); real=judged(j,T.images)
K=len(spec.categorical)
print(run,m["steps"],round(m["seconds"]),"Q"); print(code_factor_table(as_columns(read_codes(p.average_dq.eval(),T.images))[:,K:],W.values(T.labels),W,spec.circular).round(2).T.to_string())
c=spec.sample(2000,torch.Generator().manual_seed(1)); c=c.replace(noise=a*c.noise); x=draw_images(p.average_g,c); s=judged(j,x)
print("G, noise",round(a,2),"Fréchet",round(frechet_distance(s.features,real.features),1)); print(code_factor_table(torch.cat([c.continuous,c.circular],1),s.values,W,spec.circular).round(2).T.to_string())
d=spec.sample(1,torch.Generator().manual_seed(3)); d=d.replace(noise=a*d.noise,continuous=0*d.continuous); rows=[]
for i in range(spec.continuous): rows.append(draw_images(p.average_g,d.sweep_continuous(i,torch.linspace(-1,1,10))))
for i in range(spec.circular): rows.append(draw_images(p.average_g,d.sweep_circular(i,torch.linspace(-3.14,3.14,11)[:10])))
rows.append(x[:20]); rows.append(T.images[:20].float()/127.5-1)
image_grid(torch.cat(rows),10,ink=False,scale=.8).savefig(f"/tmp/peek-{run}.png",dpi=80)
