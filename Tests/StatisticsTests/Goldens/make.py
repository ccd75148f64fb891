"""Writes statistics.json: what scipy and statsmodels give for the tests and intervals of Sources/Statistics.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1 statsmodels==0.15.0 && venv/bin/python make.py
"""
import json, math, pathlib
import numpy as np, scipy, statsmodels
import statsmodels.api as sm
from scipy import optimize, stats
from statsmodels.formula.api import ols
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW


def tails(test):
    return [test("greater"), test("less")]


def share(hits, count, bound):
    test = lambda side: stats.binomtest(hits, count, bound / 100, alternative=side).pvalue
    ends = lambda level: [100 * e for e in proportion_confint(hits, count, 1 - level, "beta")]
    return dict(correct=hits, count=count, bound=bound, tails=tails(test), interval95=ends(0.95), interval90=ends(0.9))


def paired(first, second, count, bound):
    """Tango's score with the constrained maximum of the likelihood found numerically."""
    delta, both = bound / 100, count - first - second
    term = lambda n, p: n * math.log(max(p, 1e-300)) if n else 0
    likelihood = lambda q: -(term(first, q) + term(second, q + delta) + term(both, 1 - 2 * q - delta))
    low, high = max(0, -delta), (1 - delta) / 2
    q = optimize.minimize_scalar(likelihood, bounds=(low, high), method="bounded", options=dict(xatol=1e-13)).x
    error = math.sqrt(count * (2 * q + delta - delta ** 2))
    distance = second - first - count * delta
    table = [[both, first], [second, 0]]
    return dict(first=first, second=second, count=count, bound=bound, mcnemar=mcnemar(table, exact=True).pvalue,
                tails=[stats.norm.sf((distance - 1) / error), stats.norm.cdf((distance + 1) / error)])


def spread(values, bound):
    d = DescrStatsW(values)
    n, mean, sd = len(values), np.mean(values), np.std(values, ddof=1)
    half = stats.t.ppf(0.975, n - 1) * sd * math.sqrt(1 + 1 / n)
    return dict(values=values, bound=bound, tails=[d.ttest_mean(bound, "larger")[1], d.ttest_mean(bound, "smaller")[1]],
                interval95=list(d.tconfint_mean(0.05)), interval90=list(d.tconfint_mean(0.1)), prediction95=[mean - half, mean + half])


def crossed(table, bound):
    x = np.array(table)
    k, n = x.shape
    frame = dict(x=x.ravel().astype(float), seed=np.repeat(np.arange(k), n), image=np.tile(np.arange(n), k))
    anova = sm.stats.anova_lm(ols("x ~ C(seed) + C(image)", frame).fit())
    s, i, r = anova["mean_sq"]
    assert s + i - r > max(s, i)
    variance = 1e4 * (s + i - r) / (k * n)
    freedom = (s + i - r) ** 2 / (s ** 2 / (k - 1) + i ** 2 / (n - 1) + r ** 2 / ((k - 1) * (n - 1)))
    t = (100 * x.mean() - bound) / math.sqrt(variance)
    return dict(table=x.tolist(), bound=bound, error=math.sqrt(variance), tails=[stats.t.sf(t, freedom), stats.t.cdf(t, freedom)])


def rounds(values, bound):
    values = [float(v) for v in values]
    above, below = sum(v > bound for v in values), sum(v < bound for v in values)
    n = len(values)
    two = stats.quantile_test(values, q=bound, p=0.5).confidence_interval(0.95)
    return dict(values=values, bound=bound, interval95=[two.low, two.high],
                tails=[stats.binomtest(above, n, alternative="greater").pvalue, stats.binomtest(below, n, alternative="greater").pvalue])


def holm(p):
    return dict(p=p, reject=multipletests(p, 0.05, "holm")[0].tolist())


def hits(seeds, images, spread):
    draw = lambda *size: random.normal(size=size)
    return (draw(seeds, 1) * spread + draw(1, images) + draw(seeds, images) * 0.5 > -0.5).astype(int)


random = np.random.default_rng(5)
document = {
    "made": f"scipy {scipy.__version__}, statsmodels {statsmodels.__version__}, numpy {np.__version__}",
    "normal": [[p, stats.norm.ppf(p)] for p in (1e-12, 0.001, 0.025, 0.2, 0.5, 0.8, 0.95, 0.975, 0.9999)],
    "student": [[p, n, stats.t.ppf(p, n)] for n in (1, 2, 4, 9.5, 30, 1000) for p in (0.01, 0.1, 0.5, 0.8, 0.95, 0.975, 0.999)],
    "studentTails": [[t, n, stats.t.cdf(t, n)] for n in (1, 2.5, 7, 200) for t in (-40, -3, -0.5, 0, 1, 12)],
    "share": [share(*a) for a in ((91, 100, 90), (0, 20, 10), (20, 20, 80), (1, 7, 50), (9130, 10000, 91), (40200, 50000, 80.1),
                                  (40200, 50000, 80.7), (799, 1000, 82), (130, 1281167, 0.01))],
    "paired": [paired(*a) for a in ((10, 25, 100, 0), (3, 4, 1000, 0.5), (40, 12, 500, -5), (0, 6, 50, 0), (0, 0, 1000, 1),
                                    (300, 210, 10000, -1), (5, 1, 12, 10))],
    "spread": [spread(*a) for a in (([75.88, 75.38, 75.49], 76.13), ([1.2, 0.9, 1.1], 0), ([-3.0, 4, 1, 2.5, 0], 1))],
    "crossed": [crossed(hits(4, 60, 0.4), 60), crossed(hits(3, 40, 1), 75)],
    "rounds": [rounds(random.lognormal(0.7, 0.1, n), 2) for n in (6, 12, 30, 101)],
    "holm": [holm(p) for p in ([0.01, 0.04, 0.03, 0.005], [0.04, 0.04], [0.001, 0.02, 0.3, 0.016, 0.011, 0.9, 0.04])],
}
pathlib.Path(__file__).with_name("statistics.json").write_text(json.dumps(document, indent=1, default=float) + "\n")
