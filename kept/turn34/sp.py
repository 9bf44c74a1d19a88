import sys, time, torch, json
torch.set_num_threads(1); sys.path.insert(0,'/work/main/tests/benchmarks')
import worlds
from dataclasses import replace
from infogan_helpers.methods import infogan
from infogan_helpers.checkpoints import save_networks
name,seed,steps,norm=sys.argv[1],int(sys.argv[2]),int(sys.argv[3]),sys.argv[4]
extra=json.loads(sys.argv[5]) if len(sys.argv)>5 else {}
p=worlds.WORLD_PRESETS[name]; w=p.world()
c=infogan.Config(**({"steps":steps,"batch_size":32,"seed":seed,"architecture":"mirrored","norm":norm,"width":1.0,"learning_rate_g":1e-3,"learning_rate_d":1e-3,"learning_rate_q":1e-3,"betas":(0.0,0.99),"lambda_continuous":0.2,"sample_every":500}|extra))
X=w.images_and_factors(50000,0,progress=False).images
r=infogan.fit(X,p.spec,c,device="cpu",progress=False,checkpoint=f"/work/runs/turn/sp-{name}-{seed}-{norm}.ckpt")
save_networks(f"/work/runs/turn/sp-{name}-{seed}-{norm}.safetensors",r.generator,r.discriminator_q)
print(name,seed,norm,extra,round(r.history.seconds),json.dumps(worlds.flat(worlds.score(r.generator,r.discriminator_q,p.spec,w))),flush=True)
