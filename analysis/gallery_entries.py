"""What the gallery shows: an entry a figure."""

# ruff: noqa: E501 (texts)
from collections.abc import Callable
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from gallery_coulomb import cumulants, deviations
from gallery_diffusions import dale, generated, kinetic, projections
from gallery_divergence import floors, gradients, inequalities, kappas, orders
from gallery_estimation import designs, hulls, queries, regimes
from gallery_filters import evidence, sweeps
from gallery_gases import epochs
from gallery_kernel_machines import kernel_machine
from gallery_manifolds import frames, plaquettes, spheres
from gallery_networks import (
    chaos,
    explosion,
    information,
    log_norm,
    neural_covariance,
    order,
    rank_collapse,
    samplers,
    tangent,
    transformer,
    transition,
    unshaped_q,
    vertex,
)
from gallery_posterior import linear, predictions
from gallery_regression import bands, fitting, risks, scaling, universality
from gallery_semidefinite import max_cut
from gallery_sgld import durations, generalisation, hills, modified_law, sgld_bias
from gallery_signatures import signatures
from gallery_tangent import choices, flows, labels
from gallery_training import constancy, coordinates, edge, effective, jacobians, kurtosis, operators, rates, resolution, richness, tails, transfer
from gallery_walks import errors, tokens


@dataclass
class Entry:
    """A figure: its job with the settings that reduce it, what draws it, what it shows, and which verdicts belong below it."""

    name: str
    title: str
    source: str
    job: str
    draw: Callable[..., Figure]
    text: str
    settings: list[str] = field(default_factory=list)
    verdicts: int = 4
    # Another job that the figure needs, with its settings: its result follows.
    other: str = ""
    other_settings: list[str] = field(default_factory=list)

    @property
    def jobs(self) -> list[tuple[str, list[str]]]:
        return [(self.job, self.settings)] + ([(self.other, self.other_settings)] if self.other else [])

    @property
    def command(self) -> str:
        return "\n".join(
            f"mpirun -n 2 fathom run jobs/{job}.toml" + "".join(f" --set '{setting}'" for setting in settings) for job, settings in self.jobs
        )


ENTRIES = [
    Entry(
        "neural-covariance", "The Neural Covariance SDE", "arXiv:2206.02768", "neural-covariance", neural_covariance,
        "Correlation and log-norm of two inputs after 150 layers of width 150, shaped ReLU c = (0, -1), finite networks filled.", verdicts=1,
    ),
    Entry(
        "unshaped-q", "Unshaped ReLU: q = layer² (1 - rho)", "arXiv:2302.09712", "unshaped-q", unshaped_q,
        "Correlations of an unshaped network tend to 1 as layer^-2; what is left, q, has a singular SDE. Dashes: E q^-1/2 in closed form.",
        ["network.draws=20_000"], 0,
    ),
    Entry(
        "vanilla-resnet", "Vanilla ResNet: a log-Gaussian norm", "arXiv:2206.04026", "resnet-log-gaussian", log_norm,
        "log V after as many layers as the width, against the normal law of the limit.", ["network.draws=20_000", "network.observables=[\"log_V\"]", "limit={equation=\"log-gaussian\"}"], 4,
    ),
    Entry(
        "balanced-resnet", "Balanced ResNet", "arXiv:2206.04026", "balanced-resnet", log_norm,
        "The same with one half of each layer's signs turned: the variance falls from 5.44 t to 2.25 t.", ["network.draws=20_000"], 4,
    ),
    Entry(
        "shaped-transformer", "The shaped Transformer", "arXiv:2306.17759", "shaped-transformer", transformer,
        "Correlation of two tokens after 120 attention layers of width 200.", ["network.draws=50_000"], 2,
    ),
    Entry(
        "rank-collapse", "Rank collapse of usual attention", "arXiv:2306.17759", "rank-collapse", rank_collapse,
        "Mean correlation of tokens over depth. Softmax alone (centred false) makes all tokens equal within 16 layers, whatever its temperature; centred and shaped it keeps them apart.",
        ["network.draws=5_000"], 0,
    ),
    Entry(
        "explosion", "Explosion of smooth activations", "arXiv:2206.02768", "explosion", explosion,
        "Probability that V has passed 1000: sinh lies above the criterion and explodes in finite time, tanh below it and never does.",
        ["network.draws=10_000"], 2,
    ),
    Entry(
        "four-point-vertex", "Order 1/n: the four-point vertex", "arXiv:2106.10165, ch. 4", "four-point-vertex", vertex,
        "Three GELU layers, two correlated inputs: distance of the mean and the variance of log V from the infinite-width limit and from the theory of order 1/n. Dashes: 1/n and 1/n² through the first point.",
        [], 0,
    ),
    Entry(
        "ntk", "Tangent kernel: orthogonal against Gaussian weights", "arXiv:2310.07765", "ntk", tangent,
        "Relative variance of the empirical NTK (tanh at criticality, width 64), and of the covariance, over depth. With Gaussian weights both grow in proportion to the depth; with orthogonal ones they never do, and fall instead, since tanh draws every norm to the same one. The means are within a few per cent of infinite width for orthogonal weights at every depth, and leave it for Gaussian ones.",
        verdicts=0,
    ),
    Entry(
        "coordinate-check", "Coordinate check, with error bars", "arXiv:2011.14522", "coordinate-check", coordinates,
        "How far pre-activations move in five steps of training, against the width, 64 runs a point: in muP the move keeps its size, in the standard and NTK parametrisations it shrinks. Geometric means.",
        verdicts=0,
    ),
    Entry(
        "depth-mup-transfer", "Learning rates over depth and width", "arXiv:2309.16620", "depth-mup-transfer", transfer,
        "Residual ReLU networks of widths 64 and (dashed) 32 on 48 digits: training loss against the learning rate, the best rate starred. With branches over the root of the depth the best rate stays; with plain branches it falls with the depth, and at L = 16 runs diverge at every rate shown. Rates at which more than 1% of the runs diverge are left out.",
        verdicts=0,
    ),
    Entry(
        "ntk-constancy", "Constancy of the tangent kernel", "arXiv:1806.07572; arXiv:1902.06720", "ntk-constancy", constancy,
        "How far the kernel of one network moves in 20 steps, and how far the trace of the mean kernel does: 1/n with tanh; with ReLU, whose units cross their kink, more slowly, the mean like n^-1/2.",
        verdicts=0,
    ),
    Entry(
        "lazy-to-rich", "From lazy to rich", "arXiv:2011.14522", "lazy-to-rich", richness,
        "1024 GELU units in muP after 100 steps, gamma dividing the output: the kernel aligns with the target, and the test error falls. Dashes: infinite width, exactly.",
        verdicts=0,
    ),
    Entry(
        "edge-of-stability", "The edge of stability", "arXiv:2103.00065", "edge-of-stability", edge,
        "Largest eigenvalue of the Hessian of tanh networks on 32 digits, and training loss: where 2/eta (dashes) is low enough, descent sharpens the loss up to there and goes on learning.",
        verdicts=0,
    ),
    Entry(
        "jacobian-training", "Training with the Jacobian", "arXiv:1908.02729", "jacobian-training", jacobians,
        "ReLU networks that tell digits 3 and 8 apart: test error under noise of 1.5 on the pixels, and mean of |df/dx|², against the strength of the penalty.",
        verdicts=0,
    ),
    Entry(
        "kurtosis-in-training", "Kurtosis in training", "arXiv:2011.14522; quadrature over the Wishart law", "kurtosis-in-training", kurtosis,
        "Output of a two-layer linear network of 8 units, target 0: from 6/n = 0.75 at the start below that of a normal law, as large outputs shrink first, and above it later. By the reduction, and by training every weight.",
        verdicts=0,
    ),
    Entry(
        "rate-and-batch", "Learning rate and batch", "arXiv:2301.13703", "rate-and-batch", rates,
        "ReLU networks that tell digits 3 and 8 apart after 200 steps: share of the runs that diverge, and test error of the others (1 where all units are dead, so that f = 0).",
        verdicts=0,
    ),
    Entry(
        "effective-rate", "The effective learning rate", "arXiv:2407.01800", "effective-learning-rate", effective,
        "Scale-invariant weights in gradient noise, d = 50: the effective rate falls as the root of time, comes to an equilibrium with weight decay, and stays with projection; the more it falls, the longer the weights remember their start. Lines: exact means.",
        ["training.records=octaves", "training.draws=1000"], 0,
    ),
    Entry(
        "heavy-tails", "Heavy tails of stochastic gradient descent", "arXiv:2006.04740", "heavy-tailed-sgd", tails,
        "One weight, Gaussian data: Hill's estimates of the tail index against the threshold, and the index k of E |A|^k = 1. Estimates at low thresholds are off however many runs there are.",
        ["training.draws=100_000"], 0,
    ),
    Entry(
        "resolution-limited", "Resolution-limited exponents", "arXiv:2102.06701", "resolution-limited", resolution,
        "Kernel regression with the tangent kernel of one hidden ReLU layer on spheres of dimension d. Dashes: P^-3/d for teachers with the covariance of such networks, P^-1/d for teachers with the kernel itself, through the last point.",
        ["training.draws=100"], 0,
    ),
    Entry(
        "signature-limit", "Signature kernels, over width and steps", "closed recursion and differential equation, docs/signatures.md", "signature-limit", signatures,
        "Controlled linear networks along two paths. Diamonds: infinite width with as many steps, which networks reach as 1/N; dashes: the differential equation, which the diamonds reach as 1/M. Refining one alone compares two kernels.",
        [], 0,
    ),
    Entry(
        "order-chaos", "Order and chaos", "arXiv:1606.05340; arXiv:1611.01232", "phase-diagram", order,
        "Tanh networks over the gain and the biases: rate at which two inputs that are almost the same draw together (blue) or apart (red), a layer; ✓ where it is log chi_perp of infinite width. Line: chi_perp = 1, exactly.",
        [], 0,
    ),
    Entry(
        "aspect-ratio", "Information and the aspect ratio", "arXiv:2106.10165, app. A", "aspect-ratio", information,
        "What two units of a layer of a ReLU network of width 128 tell of each other. The series to the third order has its maximum at depth/width = 0.031; the information itself goes on growing.",
        ["network.draws=50_000"], 0,
    ),
    Entry(
        "density-regimes", "Kernel density estimation in large dimension", "arXiv:2408.05807", "density-regimes", regimes,
        "exp(d/2) points in d dimensions, 485 million at d = 40: below the upright line, h_G, a few terms are the whole sum at infinite dimension. Points: draws; lines: exact means by quadrature.",
        verdicts=0,
    ),
    Entry(
        "volume-sampling", "Least squares at determinantal points", "arXiv:2312.14057", "volume-sampling", designs,
        "Ten Legendre polynomials fitted to 1/(1 + 25x²) at n random points: quantiles of the square error. With independent points at n = 20 it has no usable mean.",
        verdicts=0,
    ),
    Entry(
        "adversarial-ntk", "Adversarial training, linearised", "closed form, docs/tangent.md", "adversarial-ntk", flows,
        "Outputs at three points in linearised training of networks of 128 units with their own tangent kernels (points), and at infinite width (lines): adversarial training (filled) learns steep examples faster, and forgets it.",
        ["tangent.draws=4000"], 0,
    ),
    Entry(
        "distilled-labels", "Distilled labels", "closed form, docs/tangent.md", "distilled-labels", labels,
        "Parity of 599 digits from 30 with kernel regression: error with the true labels, with labels solved for at infinite width, and with labels solved for by each network's own kernel. Lines: infinite width.",
        ["tangent.draws=40"], 0,
    ),
    Entry(
        "active-learning", "Active learning by sketches", "closed form, docs/tangent.md", "active-learning", choices,
        "40 of 599 digits chosen by what stands for the tangent kernel: log det(1 + K_S/s²) of the kernel itself, and the error of regression on the labels of those. Line: the greedy choice with the kernel.",
        ["tangent.draws=40"], 0,
    ),
    Entry(
        "adaptive-queries", "A query chosen by the answers to others", "closed form, docs/estimation.md", "adaptive-queries", queries,
        "400 queries on 100 examples, and one made of their signs: noise on the answers protects the examples. Line: normal answers.", verdicts=0,
    ),
    Entry(
        "operator-network", "Learning an operator from few sensors", "arXiv:1910.03193", "operator-network", operators,
        "Branch and trunk networks learn the antiderivative of random functions from their values at 2 to 5 sensors. Dashes: what the sensors do not tell, a bound for every method. With two sensors training comes near it and then fits its examples instead; with five the bound, 1e-6, is out of reach.",
        ["training.draws=16"], 0,
    ),
    Entry(
        "convex-hull", "Convex hulls from magnitude", "arXiv:1908.02692; arXiv:2006.14063", "convex-hull", hulls,
        "100 points of a disc: of the h vertices of their convex hull, the share among the h points of the largest weights, and among those without which the magnitude loses most.", verdicts=0,
    ),
    Entry(
        "dale-diffusion", "Diffusion with multiplicative noise", "arXiv:2510.02730", "dale-diffusion", dale,
        "A mixture of two log-normal laws, generated with its exact score: from the exact start the error falls with the steps, from the usual one a distance stays.", verdicts=0,
    ),
    Entry(
        "kinetic-path", "A kinetic-optimal path for digits", "arXiv:2306.06626", "kinetic-path", kinetic,
        "How much a sight of strength s in unit noise explains of the digits, and the path of least kinetic energy made of it.", verdicts=0,
    ),
    Entry(
        "diffusion-universality", "Generated classes are not normal ones", "arXiv:2501.07741", "diffusion-universality", generated,
        "Ridge regression on ten digits: each class generated by a diffusion with the exact score of its kernel mixture, and normal with the same means and covariances.",
        ["diffusion.draws=32"], 0,
    ),
    Entry(
        "diffusion-projections", "Generated digits are flatter than normal", "arXiv:2501.07741", "diffusion-projections", projections,
        "Excess kurtosis of ten generated digits along their first principal components, K times, and of the kernel mixtures that they tend to; a normal class has 0.",
        verdicts=0,
    ),
    Entry(
        "particle-filter", "Variance of a particle filter", "arXiv:2301.00900", "particle-filter", evidence,
        "A bootstrap filter of a hidden Markov model with three states and ten observations, multinomial selection at every step. Line: exact at every N.",
        ["filter.draws=4000"],
    ),
    Entry(
        "particle-gibbs", "Parisian particle Gibbs", "arXiv:2301.00900", "particle-gibbs", sweeps,
        "Sum of x(t-1) x(t) of a linear Gaussian model given ten observations, by sweeps from a path that knows nothing of them: bias over the sweeps, and bias and spread of averages over the second half of 128/N sweeps.",
        ["filter.draws=2000"], 0,
    ),
    Entry(
        "more-is-better", "More is better", "arXiv:2311.14646", "more-is-better", risks,
        "Test error of random-feature ridge regression over the number of features, 100 samples, 2,000 draws a point: at a small ridge it peaks at as many features as samples, at the best ridge every feature helps. Lines: the eigenframework.",
        verdicts=0,
    ),
    Entry(
        "overfitting-ratio", "How far to fit the noise", "arXiv:2311.14646", "overfitting-ratio", fitting,
        "Test error, and training over test error, over the ridge, of power laws with 10^18 modes. Lines: the eigenframework; dashes: the limit of the ratio at the best ridge, .39885.",
        verdicts=0,
    ),
    Entry(
        "scaling-laws", "Scaling laws of random features", "arXiv:2102.06701", "scaling-laws", scaling,
        "Test error over samples at four numbers of features, and all of it over the error that resolution allows, pi² m/(2 m + 1)²: one curve, 1/(1 - m/Q) (dashes).",
        verdicts=0,
    ),
    Entry(
        "bandlimited", "Networks with bandlimited random weights", "How powerful are shallow networks with bandlimited random weights?", "bandlimited", bands,
        "Relative error of a function of three scales over the number of neurons, for five bands. Dashes: infinitely many neurons.",
        verdicts=0,
    ),
    Entry(
        "universality", "Universality on digits", "arXiv:2311.14646", "universality", universality,
        "Test error of kernel regression on digits over what the eigenframework makes of their spectrum: right at ridge 1, too small by up to a sixth at small ridges, and the more so the more samples there are.",
        verdicts=0,
    ),
    Entry(
        "propagation-of-chaos", "Propagation of chaos in N", "closed form, docs/particles.md", "propagation-of-chaos", chaos,
        "Divergence of the law of one particle from its limit, 1/(4 N²) to first order. BAOAB has no error in h here and follows the line; LMC (h = 0.05) meets the floor of its step.",
        ["particles.replicas=8"], 0,
    ),
    Entry(
        "langevin-bias", "Bias of the samplers in h", "closed form, docs/particles.md", "langevin-bias", samplers,
        "Means on x²/2 + cos 2x. Metropolised samplers and the proximal one have no bias; LMC and ULMC are of first order, OBABO of second, BAOAB of second with a small constant.",
        ["particles.number=512"], 0,
    ),
    Entry(
        "poincare-to-log-sobolev", "From Poincaré to log-Sobolev", "arXiv:2112.12662", "poincare-to-log-sobolev", inequalities,
        "Langevin Monte Carlo (h = 0.1) on exp(-(1 + x²)^(α/2)) from N(3, 1/4), the law by quadrature: KL to the chain's own stationary law, dashed the slope of twice the spectral gap, and the Rényi divergence of order 2 to the target, which ends at a floor.",
        ["divergence.draws=20_000"], 0,
    ),
    Entry(
        "lmc-divergence", "The floor of Langevin Monte Carlo", "arXiv:2112.12662", "lmc-divergence", orders,
        "KL of the chain's stationary law to the target over the step size; dashes: h² through the smallest.",
        ["divergence.draws=20_000"], 0,
    ),
    Entry(
        "weakly-smooth", "Weakly smooth targets", "derived, docs/divergences.md", "weakly-smooth", floors,
        "LMC on exp(-|x|^a): divergence of the stationary law and bias of E x² over the step size; dashes: h^min(a + 1/2, 2) and h through the largest step.",
        ["divergence.draws=20_000"], 0,
    ),
    Entry(
        "weakly-smooth-underdamped", "Underdamped, on weakly smooth targets", "derived, docs/divergences.md", "weakly-smooth-underdamped", floors,
        "OBABO on exp(-|x|^a): divergence of the stationary law and bias of E x² over the step size; dashes: h^min(2a + 1, 4) and h² through the largest step.",
        ["divergence.draws=20_000"], 0,
    ),
    Entry(
        "steps-to-epsilon", "Steps to epsilon over the condition number", "arXiv:2112.12662", "steps-to-epsilon", kappas,
        "Gaussian target of curvatures 1 and κ, each integrator at its best step size and friction. With a frozen gradient underdamped Langevin dynamics is no faster in κ than LMC; splittings gain the square root.",
        ["divergence.draws=1000"], 0,
    ),
    Entry(
        "gradients-to-epsilon", "Gradients to epsilon in mean-field sampling", "arXiv:2402.07355", "gradients-to-epsilon", gradients,
        "Particles with quadratic attraction: N times the steps until KL of one particle is below ε, at the best N, step size and friction; dashes: N = 1/(2 √ε).",
        [], 0,
    ),
    Entry(
        "spheres", "Spins on spheres: Langevin against the heat bath", "arXiv:2010.11176; transfer operator, docs/manifolds.md", "spheres", spheres,
        "Five O(3) spins on a ring, K = 5. Heat bath and HMC have the exact mean (dashes) at any step, both Langevin rules are off by O(h), and their certificate says so.",
        ["manifold.copies=16", "manifold.steps=2000", "manifold.replicas=8"], 0,
    ),
    Entry(
        "stiefel", "Orthonormal frames", "closed form, docs/manifolds.md", "stiefel", frames,
        "Pairs of orthonormal vectors in R⁵, the first in a field of strength 3. Langevin with the polar retraction is off by O(h); turning pairs of rows is exact.",
        ["manifold.copies=16", "manifold.steps=2000", "manifold.replicas=8"], 0,
    ),
    Entry(
        "compact-u1", "Compact U(1) on a torus", "closed form, docs/manifolds.md", "compact-u1", plaquettes,
        "Mean plaquette and square of the topological charge on 8 x 8 plaquettes. Langevin steps of .1 are off at every temperature; at inverse temperature 8 the charge is frozen.",
        [
            "manifold.steps=4000", "manifold.replicas=8",
            "sweep={\"manifold.integrator\"=[\"heat-bath\", \"langevin\"], \"manifold.inverse_temperature\"=[0.5, 1.0, 2.0, 4.0, 8.0]}",
        ], 0,
    ),
    Entry(
        "phase-transition", "A mean-field phase transition", "Dawson (1983)", "double-well-transition", transition,
        "Desai-Zwanzig model, N = 1,000, started at 0.7: mean position against inverse temperature; dashes: the stable solution of the limit, upright line: the critical point 2.188. Nearest to it the finite system has not reached its limit.",
        [
            "bias.enabled=false", "particles.number=1000", "particles.replicas=8", "particles.step=0.01",
            "sweep={\"particles.inverse_temperature\"=[1.1, 1.5, 1.9, 2.1, 2.3, 2.5, 2.8, 3.3, 4.0]}",
        ], 0,
    ),
    Entry(
        "max-cut", "Max-Cut with a proved bound", "arXiv:2010.11176", "max-cut", max_cut,
        "Unit vectors of rank 20 on the graph G1: what the relaxed cut lacks of the sharpest bound, what the bound of each run lies above that, and the best cut of 100 planes with 1-opt, over the steps. At a fixed temperature all of them stall; cooling closes the gap, and the mixing method ends it. Bands: replicas.",
        [
            "semidefinite.rank=20", "semidefinite.records=30", "semidefinite.replicas=4",
            "sweep={\"semidefinite.inverse_temperature, semidefinite.final_inverse_temperature, semidefinite.anneal, semidefinite.mixing\"=[[200, 200, 1500, 0], [2000, 2000, 1500, 0], [10, 20480, 1500, 0], [10, 20480, 1200, 300]]}",
        ], 0,
    ),
    Entry(
        "sgld-bias", "Bias of stochastic gradient Langevin dynamics", "closed form, docs/sgld.md", "sgld-bias", sgld_bias,
        "Least squares with one feature: squared distance from the minimum against step size, for three batches. Lines: exactly; grey: the posterior. Small batches cost more the larger the step.",
        ["particles.number=256", "particles.steps=4000"], 0,
    ),
    Entry(
        "modified-law", "The law that LMC follows", "quadrature, docs/sgld.md", "modified-law", modified_law,
        "Mean energy of LMC on x²/2 + cos 2x, less that of exp(-U), and less that of the law by backward error analysis: of order h and h².",
        ["particles.number=512", "particles.steps=4000"], 0,
    ),
    Entry(
        "sgld-generalisation", "Generalisation and stability", "arXiv:2102.06229; closed form, docs/sgld.md", "sgld-generalisation", generalisation,
        "SGLD on the mean of 10 examples, 1/beta = 0.05: the generalisation gap does not depend on the batch; the distance from a run on a neighbouring data set does. Lines: exactly.",
        ["training.draws=20_000"], 0,
    ),
    Entry(
        "heavy-tailed-recursion", "Heavy tails of a random recursion", "Kesten (1973)", "heavy-tailed-recursion", hills,
        "psi' = 1 + (a e + 0.55) psi: Hill's estimates against the threshold, and the root k of E (a e + b)^k = 1. The bias of a finite threshold is much larger than the bars.",
        ["training.draws=20_000"], 0,
    ),
    Entry(
        "durations", "Waiting times without a mean", "Engle and Russell (1998)", "durations", durations,
        "Events by time t, b = 0.55: they grow like t where waiting has a mean (a = 0.3), like t^0.467 where it has none (dashes, through the last point). Right: coverage of 95 % intervals of a, and of regions of all parameters, by quasi maximum likelihood from the events by t.",
        ["training.draws=2000"], 0,
    ),
    Entry(
        "coulomb-cumulants", "Cumulants of Coulomb gases", "arXiv:2310.16420", "coulomb-cumulants", cumulants,
        "Second and third cumulants of sums of r² and r⁴ over the points of a gas on the line, in the plane and in space, scaled by their power of N; dashes: the droplet.",
        ["coulomb.steps=2000"], 0,
    ),
    Entry(
        "large-deviation", "Large deviations of a Coulomb gas", "arXiv:2310.16420", "large-deviation", deviations,
        "Rate of Σ r² = N l in the plane, by integration over tilts and the Legendre transform, and its limit.",
        [], 0,
    ),
    Entry(
        "deep-kernel-machine", "A deep kernel machine at finite width", "arXiv:2108.13097", "deep-kernel-machine", kernel_machine,
        "Entries of the Gram matrix of the second layer of three points under the posterior, over one over the width; dashes: the maximum of the objective.",
        ["kernel-machine.steps=1000"], 1,
    ),
    Entry(
        "self-repellent-walk", "A walk that avoids where it has been", "arXiv:2305.05097", "self-repellent-walk", errors,
        "Square error of the shares of its visits over the steps of a walk on Zachary's karate club, for several strengths of the repulsion, and n times it; dashes: tr V(α)/n and tr V(α).",
        ["walk.draws=2000"], 0,
    ),
    Entry(
        "token-regression", "Logistic regression by a token", "arXiv:2401.09665", "token-regression", tokens,
        "Excess loss of a token on its walk over the karate club, an example a vertex, with steps 10/n; dashes: the Lyapunov equation.",
        ["walk.draws=1000"], 0,
    ),
    Entry(
        "disparate-masses", "The epochs of a gas of two masses", "docs/gases.md", "disparate-masses", epochs,
        "Temperatures of light (upper) and heavy hard spheres over the logarithm of time, for three ratios of masses; dashes: each a Maxwellian of its own temperature, which holds as the ratio goes to 0.",
        ["gas.draws=40"], 0,
    ),
    Entry(
        "bnn-posterior", "The posterior of Bayesian networks", "arXiv:1206.1901; arXiv:1711.00165", "bnn-posterior", predictions,
        "Mean and standard deviation (bands) of what one hidden layer of N erf units predicts given four targets: Hamiltonian Monte Carlo over all weights, networks at initialisation weighted by the likelihood, and the Gaussian process of infinite width (dashes, dots).",
        ["posterior.steps=500"], 0, "bnn-posterior-weighted", ["network.draws=200_000"],
    ),
    Entry(
        "deep-linear-posterior", "The posterior of deep linear networks", "closed form, docs/posterior.md", "deep-linear-posterior", linear,
        "What four units a layer predict given five targets: Hamiltonian Monte Carlo over all weights, and an integral over one number, exact at every width and depth.",
        ["posterior.steps=2000"], 0,
    ),
]  # fmt: skip
