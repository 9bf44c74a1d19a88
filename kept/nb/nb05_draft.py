TEXT_29 = '''
The eye was right twice: c2 turns the digit and leaves the stroke alone, c3 sets the stroke and leaves the lean alone. The curves add what the eye can't see, how sure each effect is. From -1 to +1 c2 adds 0.88 radians of slant, and digits with the same c2 spread by about a tenth of a radian (one standard deviation), whatever the digit and the noise. c3 takes 2.4 pixels of stroke away; digits with the same c3 spread by half a pixel at -1 and by 0.2 at +1. Beyond the prior, on the bold side, that band doubles to 1.1 pixels, and the mean at -2, 6.7 pixels, is a pen that hardly any real digit was written with: six of 5,000 are bolder.
'''
TEXT_35 = '''
Within nine of the ten digits each code follows its measure more closely than over all of them: what the pooled figure lacks is the digits' own lean and stroke, which no code may change. The exception is c1 = 5, the 2, at 0.91 and 0.92 in size.

Is this run typical? The card has the same figures for ten seeds of the recipe, trained on all 60,000. Signs are chance, so sizes are shown.
'''
TEXT_37 = '''
Both are found every time, slant by c2 and thickness by c3. It was not always so: an earlier recipe lost slant on three of the ten seeds, where c2 had come to mean how far the digit bows to one side, a trait that the copies then left alone, too ([what was tried](../tests/benchmarks/TRIED.md)). The paper says that its codes capture rotation and width, and shows one run without figures. Nobody that we read has published such a table.
'''
TEXT_41 = '''
<details><summary>Answer</summary>Nearer to 1 than to 2: 1.10 on average, and -1.26 at -2. G keeps bending the picture, but Q has no reason to name a value beyond those it was ever asked for. Recovery fails outside the
support even where the picture still looks right: the outer columns are extrapolation by G alone. </details>
'''
TEXT_46 = '''
By itself the noise does little, 0.09 of the variance, and the codes 0.44; the other 0.48 is what the noise does to one code and not to another. What one noise vector does to a 3 is not what it does to a 7. "Incompressible noise" is not a small leftover: it is the hand, in all that c2 and c3 did not take.
'''
TEXT_49 = '''
<details><summary>Answer</summary>You can tell the lean: it is so strong that it shows through any noise, with a correlation of 0.98 where the noise is redrawn and 0.99 where it is held. And you would be wrong about the width. With the noise held a step of c2 changes it by 0.4 pixels; below by 2.5, all of which the noise did.</details>

The lower row is still a row of digits, which is why the mistake survives in so many repositories. It is right about what the code does strongly, and blames on the code whatever the noise does. Two more of its kind: setting the noise to zero, a point that almost no sample comes near (its norm is
0, a draw's is about $\\sqrt{62} \\approx 7.9$), and moving two codes at once.
'''
TEXT_56B = '''
<details><summary>Answer</summary>Mostly the class, the lean and the stroke, because codes hold them. Of 1,000 digits 98 % come back as what they were; a classifier trained with labels says so, and labels enter nowhere else. The sixth above, a 1 with a flag, comes back as a 7. The lean is off by 0.08 radians on average, and follows with a slope of 0.87: Q answers with a mean, which is drawn in from both ends. The stroke is off by a quarter of a pixel, with a slope of 0.72. The width, which no code reads, is off by 2.5 pixels; what follows of it comes with the class. The bar of a 7, the foot of a 1, the flourish of a 4: the noise holds those, or nothing does, and nothing reads the noise. An autoencoder would keep them; InfoGAN was never asked to.</details>
'''
TEXT_22 = '''
<details><summary>Answer</summary>No. The prior makes the codes independent; nothing in the objective asks G to keep their effects apart. Inside the dashed square they compose all the same: c2 turns the digit by 0.90 to 0.92 radians whatever its stroke, and 99.5 % stay the digit that they are. In the corners at ±2, where both codes are beyond the prior, strokes break up, and 55.0 % do.</details>
'''
