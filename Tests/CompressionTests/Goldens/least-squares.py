"""Makes least-squares.json with scikit-learn: LASSO and least squares on the same matrices.

    pip install scikit-learn
    python3 least-squares.py
"""

import json
import platform
import warnings

import numpy as np
import scipy
import sklearn
from sklearn.linear_model import Lasso, LassoLars, LinearRegression

warnings.filterwarnings("ignore")
random = np.random.default_rng(1)


def features(rows, columns):
    """Inputs as after a ReLU: correlated, with zeros."""
    mixed = random.normal(size=(rows, columns)) @ random.normal(size=(columns, columns)) * 0.4
    return np.maximum(mixed + random.normal(size=(rows, columns)), 0).round(6)


def lasso_case(rows, columns):
    z, truth = features(rows, columns), random.normal(size=columns)
    truth[::3] = 0
    y = (z @ truth + 0.1 * random.normal(size=rows)).round(6)
    largest = np.abs(z.T @ y).max() / rows
    penalties = [largest * share for share in (0.5, 0.1, 0.01, 0.001)]
    fits = [Lasso(alpha=a, fit_intercept=False, tol=1e-14, max_iter=1_000_000).fit(z, y) for a in penalties]
    lars = [LassoLars(alpha=a, fit_intercept=False, max_iter=3000).fit(z, y) for a in penalties]
    return {
        "z": z.tolist(), "y": y.tolist(), "penalties": penalties,
        "coefficients": [fit.coef_.tolist() for fit in fits], "lars": [fit.coef_.tolist() for fit in lars],
    }


def selection_case(rows, channels, area, outputs):
    """A layer whose channels are chosen as He et al. 2017 do: the design has a column for each channel, and a row for each
    output of each sampled pixel."""
    x, w = features(rows, channels * area), random.normal(size=(outputs, channels * area)).round(6)
    y = (x @ w.T).round(6)
    z = np.stack([
        (x[:, c * area:(c + 1) * area] @ w[:, c * area:(c + 1) * area].T).ravel() for c in range(channels)
    ], axis=1)
    # The path of LARS has every count that a penalty leaves.
    chosen = {}
    largest = np.abs(z.T @ y.ravel()).max() / len(z)
    for alpha in largest * np.geomspace(0.99, 1e-7, 1200):
        coefficients = LassoLars(alpha=alpha, fit_intercept=False, max_iter=3000).fit(z, y.ravel()).coef_
        kept = np.flatnonzero(coefficients)
        chosen.setdefault(len(kept), kept.tolist())
    reconstructions = {}
    for count, kept in chosen.items():
        if 0 < count < channels:
            columns = [c * area + i for c in kept for i in range(area)]
            fit = LinearRegression(fit_intercept=False).fit(x[:, columns], y)
            reconstructions[count] = fit.coef_.tolist()
    return {
        "x": x.tolist(), "w": w.tolist(), "y": y.tolist(), "area": area,
        "chosen": {str(k): v for k, v in chosen.items() if 0 < k < channels},
        "reconstructions": {str(k): v for k, v in reconstructions.items()},
    }


def dependent_case(rows, columns):
    """Least squares where a column is always zero and one is twice another: the shortest of the solutions."""
    x = features(rows, columns)
    x[:, 2], x[:, 5] = 0, 2 * x[:, 1]
    y = random.normal(size=(rows, 3)).round(6)
    return {"x": x.tolist(), "y": y.tolist(), "coefficients": LinearRegression(fit_intercept=False).fit(x, y).coef_.tolist()}


golden = {
    "made by": f"scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}, NumPy {np.__version__}, "
    f"Python {platform.python_version()}",
    "lasso": [lasso_case(60, 8), lasso_case(120, 20)],
    "selection": [selection_case(60, 8, 1, 6), selection_case(80, 6, 4, 5)],
    "dependent": dependent_case(40, 8),
}
with open("least-squares.json", "w") as file:
    json.dump(golden, file)
