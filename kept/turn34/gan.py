"""gan.py NAME key=val: plain GAN on faces, no codes; prints Fréchet of EMA and live."""
import sys, time, copy, torch, torch.nn as nn, torch.nn.functional as F
torch.set_num_threads(1)
from pathlib import Path
from infogan_helpers.worlds import Faces, Chairs
from infogan_helpers.judges import load_judge, judged
from infogan_helpers.quality import frechet_distance
O=dict(steps=1200,batch=64,lrg=1e-3,lrd=1e-3,gamma=0.3,every=4,init="he",gup="t",gch=32,dch=24,k=3,mirror=1,ema=0.99,b2=0.99,seed=0,z=37,fall=0.5,head=0,gk=4,mbstd=0,hinge=0,act="relu",gnorm="bn",lecun=0,noise=0.0,world="faces")
for a in sys.argv[2:]:
    k,v=a.split("="); O[k]=type(O[k])(v)
W=Faces(); X=W.images_and_factors(20000,0,progress=False).images; T=W.images_and_factors(3000,12345,progress=False).images
J=load_judge(W,Path("/work/exp")); RF=judged(J,T).features
torch.manual_seed(O["seed"])
c=O["gch"]; act=nn.ReLU
def up(i,o):
    if O["gup"]=="t": return [nn.ConvTranspose2d(i,o,O["gk"],2,(O["gk"]-2)//2)]
    return [nn.Upsample(scale_factor=2,mode=O["gup"]),nn.Conv2d(i,o,3,1,1)]
bn1=(lambda n:[nn.BatchNorm1d(n)]); bn2=(lambda n:[nn.BatchNorm2d(n)])
g=nn.Sequential(nn.Linear(O["z"],4*c*16),*bn1(4*c*16),act(),nn.Unflatten(1,(4*c,4,4)),*up(4*c,2*c),*bn2(2*c),act(),*up(2*c,c),*bn2(c),act(),*up(c,1),nn.Tanh())
d_=O["dch"];k=O["k"]
class D(nn.Module):
    def __init__(s):
        super().__init__()
        s.t=nn.Sequential(nn.Conv2d(1,d_,k,2,1),nn.LeakyReLU(.2),nn.Conv2d(d_,2*d_,k,2,1),nn.LeakyReLU(.2),nn.Conv2d(2*d_,4*d_,k,2,1),nn.LeakyReLU(.2),nn.Flatten())
        f=4*d_*16+O["mbstd"]
        s.h=nn.Sequential(nn.Linear(f,O["head"]),nn.LeakyReLU(.2),nn.Linear(O["head"],1)) if O["head"] else nn.Linear(f,1)
    def forward(s,x):
        n=len(x)
        if O["noise"]: x=x+O["noise"]*torch.randn_like(x)
        f=s.t(torch.cat([x,x.flip(3)]) if O["mirror"] else x)
        if O["mbstd"]:
            y=f.view(2 if O["mirror"] else 1,-1,4 if n%4==0 else n,f.shape[1]); st=(y.var(2,unbiased=False)+1e-8).sqrt().mean(-1).repeat_interleave(y.shape[2],1).reshape(-1,1)
            f=torch.cat([f,st],1)
        l=s.h(f)[:,0]
        return (l[:n]+l[n:])/2 if O["mirror"] else l
d=D()
if O["init"]=="he":
    for m in (g,d):
        for l in m.modules():
            if isinstance(l,(nn.Linear,nn.Conv2d,nn.ConvTranspose2d)): nn.init.kaiming_normal_(l.weight,.2); nn.init.zeros_(l.bias)
if O["init"] in ("mix","dcgan"):
    for m in (g,d):
        for l in m.modules():
            if isinstance(l,(nn.Linear,nn.Conv2d,nn.ConvTranspose2d)):
                nn.init.zeros_(l.bias)
                if m is d and O["init"]=="mix": nn.init.kaiming_normal_(l.weight,.2)
                else: nn.init.normal_(l.weight,0,.02)
ge=copy.deepcopy(g)
og=torch.optim.Adam(g.parameters(),O["lrg"],betas=(0.0,O["b2"])); od=torch.optim.Adam(d.parameters(),O["lrd"],betas=(0.0,O["b2"]))
def fid(g):
    g=copy.deepcopy(g)
    for l in g.modules():
        if hasattr(l,"running_mean"): l.reset_running_stats(); l.momentum=None
    torch.manual_seed(5); g.train()
    with torch.no_grad():
        for _ in range(10): g(torch.randn(128,O["z"]))
        g.eval(); return round(frechet_distance(judged(J,g(torch.randn(2000,O["z"]))).features,RF),1)
t0=time.time(); acc=[]; spent=0
for t in range(O["steps"]):
    s0=time.time(); done=t/O["steps"]
    for o,l in ((og,O["lrg"]),(od,O["lrd"])): o.param_groups[0]["lr"]=l*min(1,(1-done)/O["fall"]+.02)
    x=X[torch.randint(len(X),(O["batch"],))].float()/127.5-1
    r1=t%O["every"]==0; x.requires_grad_(r1)
    fake=g(torch.randn(O["batch"],O["z"])); lr_,lf=d(x),d(fake)
    acc.append(float(((lr_>0).float().mean()+(lf<0).float().mean())/2))
    dl=F.relu(1-lr_).mean()+F.relu(1+lf).mean() if O["hinge"] else F.softplus(-lr_).mean()+F.softplus(lf).mean()
    if r1:
        (s,)=torch.autograd.grad(lr_.sum(),x,create_graph=True); dl=dl+O["every"]*O["gamma"]/2*s.flatten(1).pow(2).sum(1).mean()
    gl=-lf.mean() if O["hinge"] else F.softplus(-lf).mean()
    gg=torch.autograd.grad(gl,list(g.parameters()),retain_graph=True)
    od.zero_grad(); dl.backward(inputs=list(d.parameters())); od.step()
    for p,q in zip(g.parameters(),gg): p.grad=q
    og.step()
    with torch.no_grad():
        for a,b in zip(ge.parameters(),g.parameters()): a.lerp_(b,1-min(O["ema"],1-1/(t+2)))
        for a,b in zip(ge.buffers(),g.buffers()): a.copy_(b)
    spent+=time.time()-s0
    if (t+1)%300==0: print(sys.argv[1],t+1,f"{spent:.0f}s acc {sum(acc[-100:])/100:.2f} ema {fid(ge)} live {fid(g)}",flush=True)
torch.save(ge.state_dict(),f"/tmp/gan-{sys.argv[1]}.pt")
