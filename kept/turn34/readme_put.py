import subprocess,re
t=subprocess.run(["/work/venv/bin/python","/work/exp/readme.py"],capture_output=True,text=True,check=True).stdout.strip()
p='/work/main/README.md'; s=open(p).read()
a=s.index("### The worlds"); b=s.index("[Every run](tests/benchmarks/results/worlds.md), [what was tried]")
s=s[:a]+f"""### The worlds

Faces are trained by the paper's algorithm (`infogan`), chairs and sprites by `noise_last` (notebook 07), on 50,000 rendered pictures of 32 × 32 pixels, with nothing but codes: uniform ones, and a circular one for chairs. Scored on 5,000 pictures that no training saw, by their known factors, which enter for nothing else. A figure is the |ρ| of the code that follows a factor best (for rotation the circular correlation), as Q reads real pictures, or as a judge sees it in 5,000 pictures by G. A judge is a small network that was trained with factors and trains nothing; its features give the Fréchet distance, which is 0.5 between two draws of rendered faces, 0.4 of chairs, 0.2 of sprites.

{t}

On four seeds of five the paper's algorithm finds azimuth, elevation and light; on seed 4 D is right on 99 of 100 pictures from step 400 on, and G draws nothing. That is what pulls the means down. The settings of chairs and sprites were chosen on seeds 0 and 1. A circle for rotation holds left and right, and not front and back; so does a segment. Class codes (of 24 on chairs, of 3 on sprites) told next to nothing of type and shape, and took from the other codes; the models have none. Expression, orientation, type and shape were not found. Goals that were set, and missed: azimuth 0.95, rotation 0.9, a second code below 0.3 on every seed, a Fréchet distance of 11 (8.8 on one seed of faces). Minutes per seed, on one thread beside another run: faces 4.5 to 5.5, chairs and sprites 6 to 7. An earlier version read each code from a view, a measurement written by hand, and had azimuth 0.96, elevation 0.94, light 0.94, rotation 0.97, a MIG of 0.47 and a FactorVAE score of 0.86 on sprites; it had been told where to look, and its G turned no chair (0.03).

"""+s[b:]
s=s.replace("| [06 · Measuring disentanglement](notebooks/06_measuring_disentanglement.ipynb) | a world with known factors, six metrics by hand, encoders with known faults, why no loss on pictures alone can find the factors, InfoGAN on sprites over five seeds | 1 | not measured |","| [06 · Measuring disentanglement](notebooks/06_measuring_disentanglement.ipynb) | a world with known factors, six metrics by hand, encoders with known faults, why no loss on pictures alone can find the factors, InfoGAN on sprites, seed by seed | 1 | not measured |")
s=re.sub(r"\| \[07 · Faces and chairs\]\(notebooks/07_faces_and_chairs.ipynb\) \|.*","| [07 · Faces and chairs](notebooks/07_faces_and_chairs.ipynb) | the paper's two experiments where every factor is known: heads that turn, nod and are lit by the paper's algorithm; chairs that go round: R1, noise that comes last, a circle, a mirror; what Q reads and what G draws, seed by seed | 3 | not measured |",s)
s=s.replace("what the worlds of notebooks 06 and 07 train |","what chairs and sprites train |").replace("| codes and configuration for each world |","| codes, method and configuration for each world |")
open(p,'w').write(s)
p='/work/main/data/README.md'; s=open(p).read()
s=s.replace("`sprites`, `faces` and `chairs` are the worlds' models of notebooks 06 and 07, each the median of five seeds, in half precision;","`sprites`, `faces` and `chairs` are the worlds' models of notebooks 06 and 07, seed 0 of each, whatever it scored, in half precision;")
if "judge_faces32" not in s:
    s=s.rstrip("\n")+"\n\n`scoring/judge_faces32`, `judge_chairs32` and `judge_sprites32` are judges: small networks that say which factors a rendered picture shows, trained *with* factors by `python tests/benchmarks/worlds.py --judges`. They score what G draws (`judges.py`) and train nothing.\n"
open(p,'w').write(s)
