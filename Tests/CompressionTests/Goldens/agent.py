"""Makes pendulum.json, steps of Gymnasium's Pendulum-v1, and truncated-normal.json, shares of draws by SciPy.

    pip install gymnasium pygame scipy
    python3 agent.py
"""

import json
import pathlib
import platform

import gymnasium
import numpy as np
import scipy
from scipy.stats import truncnorm

HERE = pathlib.Path(__file__).parent
PROGRAM = f"gymnasium {gymnasium.__version__}, NumPy {np.__version__}, Python {platform.python_version()}"


def write(name, program, content):
    text = json.dumps({"program": program, **content}, indent=0).replace("\n", " ")
    (HERE / f"{name}.json").write_text(text + "\n")


def pendulum():
    """Torques go beyond the range, and angles around the circle, so that every bound is met."""
    env = gymnasium.make("Pendulum-v1").unwrapped
    rolls = []
    for angle, speed, strength in [(3.0, 0.5, 3.0), (-0.4, -1.0, 1.0), (1.5, 7.9, 2.0), (np.pi, 0.0, 0.0)]:
        env.reset(seed=1)
        env.state = np.array([angle, speed])
        roll = {"angle": angle, "speed": speed, "steps": []}
        for i in range(60):
            torque = strength * float(np.sign(np.sin(0.9 * i + 0.3)))
            observation, reward, _, _, _ = env.step(np.array([torque]))
            roll["steps"].append({
                "torque": torque, "reward": float(reward), "angle": float(env.state[0]),
                "speed": float(env.state[1]), "observation": [float(x) for x in observation]})
        rolls.append(roll)
    write("pendulum", PROGRAM, {"rolls": rolls})


def truncated_normal():
    cases = []
    for mean, deviation, low, high in [
            (0.5, 0.5, 0.0, 1.0), (0.0, 0.2, 0.0, 1.0), (0.9, 0.1, 0.0, 1.0), (0.3, 0.4, 0.0, 1.0),
            (1.9, 30.0, -2.0, 2.0)]:
        law = truncnorm((low - mean) / deviation, (high - mean) / deviation, loc=mean, scale=deviation)
        edges = np.linspace(low, high, 11)
        cases.append({
            "mean": mean, "deviation": deviation, "low": low, "high": high,
            "shares": [float(x) for x in np.diff(law.cdf(edges))]})
    write("truncated-normal", f"SciPy {scipy.__version__}, Python {platform.python_version()}", {"cases": cases})


pendulum()
truncated_normal()
