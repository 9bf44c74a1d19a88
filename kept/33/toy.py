"""x = c² + σ n, c uniform on [-1, 1]: exact I by quadrature; L_I of a Gaussian, a mixture of two, a spline flow."""
import math, torch, zuko
torch.manual_seed(0); torch.set_num_threads(1)
S=0.05
c=torch.linspace(-1,1,4001,dtype=torch.float64); x=torch.linspace(-.4,1.4,4001,dtype=torch.float64)
p=torch.exp(-.5*((x[None]-c[:,None]**2)/S)**2)/(S*math.sqrt(2*math.pi))*.5  # p(c,x)
dc,dx=c[1]-c[0],x[1]-x[0]
w=torch.ones(4001,dtype=torch.float64); w[0]=w[-1]=.5
px=(w[:,None]*p).sum(0)*dc
h=-(w[:,None]*p*(p/px.clamp_min(1e-300)).clamp_min(1e-300).log()).sum()*dc*dx
print("I", math.log(2)-float(h))
def net(o): return torch.nn.Sequential(torch.nn.Linear(1,64),torch.nn.SiLU(),torch.nn.Linear(64,64),torch.nn.SiLU(),torch.nn.Linear(64,o))
def gauss(o,c): m,s=o.unbind(1); return -.5*((c-m)/s.exp())**2-s-.5*math.log(2*math.pi)
class G(torch.nn.Module):
    def __init__(s): super().__init__(); s.n=net(2)
    def forward(s,x,c): return gauss(s.n(x),c)
class M(torch.nn.Module):
    def __init__(s): super().__init__(); s.n=net(6)
    def forward(s,x,c):
        o=s.n(x); l=o[:,:2].log_softmax(1); return torch.logsumexp(torch.stack([l[:,k]+gauss(o[:,2+2*k:4+2*k],c) for k in (0,1)],1),1)
class F(torch.nn.Module):
    def __init__(s): super().__init__(); s.f=zuko.flows.NSF(1,1,transforms=2,hidden_features=(64,64),bins=8)
    def forward(s,x,c): return s.f(x).log_prob(c[:,None])
for name,q in (("gaussian",G()),("mixture",M()),("flow",F())):
    o=torch.optim.Adam(q.parameters(),3e-3); sch=torch.optim.lr_scheduler.CosineAnnealingLR(o,3000)
    for t in range(3000):
        cc=2*torch.rand(512)-1; xx=(cc**2+S*torch.randn(512))[:,None]
        l=-q(xx,cc).mean(); o.zero_grad(); l.backward(); o.step(); sch.step()
    cc=2*torch.rand(200000)-1; xx=(cc**2+S*torch.randn(200000))[:,None]
    with torch.no_grad(): print(name, round(math.log(2)+float(q(xx,cc).mean()),4))
