"""Figures of clusterings and samples, by scikit-learn and SciPy, that the tests of base/clustering and base/math compare with.
usage: clustering.py > clustering.json    (needs numpy, scikit-learn, scipy)"""
import json
import numpy as np
import scipy
import sklearn
from scipy.optimize import linear_sum_assignment
from scipy.stats import ks_2samp, spearmanr
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, davies_bouldin_score, silhouette_samples, silhouette_score
from sklearn.mixture import GaussianMixture

rng = np.random.default_rng(20261128)


def clustering(name, points, labels):
    points = np.asarray(points, dtype=np.float32)
    exact = points.astype(np.float64)
    return {
        'name': name,
        'points': [[round(float(v), 9) for v in row] for row in points],
        'labels': [int(label) for label in labels],
        'silhouette': float(silhouette_score(exact, labels)),
        'ofEach': silhouette_samples(exact, labels).tolist(),
        'daviesBouldin': float(davies_bouldin_score(exact, labels)),
    }


centres = rng.normal(0, 3, (4, 3))
labels = rng.integers(0, 4, 120)
blobs = centres[labels] + rng.normal(0, 1, (120, 3))
alone = np.where(np.arange(120) == 7, 3, np.minimum(labels, 2))
skewed = np.exp(rng.normal(0, 1.5, (90, 5)))
ties = rng.integers(0, 3, (60, 2))

partitions = []
for name, one, other in [
    ('the same, under other names', labels, (labels + 1) % 4),
    ('unrelated', labels, rng.integers(0, 6, 120)),
    ('one moved in ten', labels, np.where(rng.random(120) < 0.1, 0, labels)),
    ('one undivided', np.zeros(120, int), labels),
    ('both undivided', np.zeros(50, int), np.zeros(50, int)),
    ('each alone', np.arange(30), np.arange(30)),
    ('each alone and undivided', np.arange(30), np.zeros(30, int)),
]:
    table = np.zeros((one.max() + 1, other.max() + 1), int)
    np.add.at(table, (one, other), 1)
    partitions.append({'name': name, 'table': table.tolist(), 'adjustedRand': float(adjusted_rand_score(one, other))})

pairs = []
for xs, ys in [(rng.normal(size=6), rng.normal(size=6)), (rng.integers(0, 4, 12), rng.integers(0, 3, 12))]:
    pairs.append({'xs': xs.tolist(), 'ys': ys.tolist(), 'spearman': float(spearmanr(xs, ys).statistic)})

samples = []
for one, other in [(rng.normal(size=40), rng.normal(0.5, 1, 55)), (rng.integers(0, 5, 30), rng.integers(1, 6, 70))]:
    samples.append({'one': one.tolist(), 'other': other.tolist(), 'ks': float(ks_2samp(one, other).statistic)})

matchings = []
for shape in [(6, 6), (5, 8), (8, 5), (1, 3)]:
    worth = rng.integers(0, 1000, shape)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    matchings.append({'worth': worth.tolist(), 'best': int(worth[rows, columns].sum())})



def kmeans(name, points, first):
    points = np.asarray(points, dtype=np.float32)
    fit = KMeans(len(first), init=first, n_init=1, tol=0, max_iter=300, algorithm='lloyd').fit(points)
    return {
        'name': name,
        'points': [[round(float(v), 9) for v in row] for row in points],
        'first': [[float(v) for v in row] for row in first],
        'centres': fit.cluster_centers_.tolist(),
        'labels': fit.labels_.tolist(),
        'inertia': float(((points.astype(np.float64) - fit.cluster_centers_[fit.labels_].astype(np.float64)) ** 2).sum()),
    }


def mixture(name, points, means):
    points = np.asarray(points, dtype=np.float32)
    means = np.asarray(means, dtype=np.float32)
    exact = points.astype(np.float64)
    k, d = means.shape
    fit = GaussianMixture(
        k, covariance_type='diag', tol=1e-3, max_iter=500,
        means_init=means.astype(np.float64), weights_init=np.full(k, 1 / k), precisions_init=np.ones((k, d)),
    ).fit(exact)
    return {
        'name': name,
        'points': [[round(float(v), 9) for v in row] for row in points],
        'first': [[float(v) for v in row] for row in means],
        'weights': fit.weights_.tolist(),
        'means': fit.means_.tolist(),
        'variances': fit.covariances_.tolist(),
        'iterations': fit.n_iter_,
        'logLikelihood': float(fit.score(exact)),
        'bic': float(fit.bic(exact)),
        'labels': fit.predict(exact).tolist(),
        'probabilities': fit.predict_proba(exact[:10]).tolist(),
        'logDensities': fit.score_samples(exact[:10]).tolist(),
    }


print(json.dumps({
    'by': f'numpy {np.__version__}, scikit-learn {sklearn.__version__}, scipy {scipy.__version__}',
    'clusterings': [
        clustering('four clouds', blobs, labels),
        clustering('one with a single point', blobs, alone),
        clustering('long tails', skewed, rng.integers(0, 6, 90)),
        clustering('points that coincide', ties, rng.integers(0, 2, 60)),
    ],
    'kmeans': [
        kmeans('four clouds', blobs, blobs.astype(np.float32)[:4]),
        kmeans('long tails', skewed, skewed.astype(np.float32)[:7]),
    ],
    'partitions': partitions,
    'pairs': pairs,
    'samples': samples,
    'matchings': matchings,
    'mixtures': [
        mixture('four clouds', blobs, blobs[:4]),
        mixture('long tails', skewed, skewed[:3]),
        mixture('one within the other', crossed := rng.normal(0, 1, (160, 2)) * np.where(np.arange(160)[:, None] % 2, 1, [4, 0.3]), crossed[:2]),
        mixture('one dimension', line := np.concatenate([rng.normal(0, 1, (50, 1)), rng.normal(3, 0.5, (40, 1))]), line[[0, -1]]),
        mixture('points in one place', np.repeat([[1.5, 2], [1.5, -3], [0, 0]], [9, 14, 7], axis=0), [[1, 2], [1, -3], [0, 1]]),
    ],
}, separators=(',', ':')))
