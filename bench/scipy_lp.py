"""Solves the sparse program in the JSON file that is named, and writes the values of its columns to another one."""

import json
import sys
import time

import numpy
import scipy
from scipy.optimize import linprog
from scipy.sparse import csc_matrix

with open(sys.argv[1]) as file:
    program = json.load(file)
columns = program["columns"]
demand = program["demand"]
tasks, classes = len(demand), program["classes"]
starts, rows, values = [0], [], []
for column in columns:
    rows += column["rows"]
    values += column["values"]
    starts.append(len(rows))
matrix = csc_matrix((values, rows, starts), shape=(tasks + classes, len(columns))).tocsr()
begun = time.process_time()
solution = linprog(
    numpy.array([column["cost"] for column in columns], dtype=float),
    A_eq=matrix[:tasks],
    b_eq=numpy.array(demand, dtype=float),
    A_ub=matrix[tasks:],
    b_ub=numpy.zeros(classes),
    bounds=[(0, column["most"]) for column in columns],
    method="highs",
)
seconds = time.process_time() - begun
if solution.status != 0:
    sys.exit(f"SciPy {scipy.__version__} Error: {solution.message}")
with open(sys.argv[2], "w") as file:
    json.dump({"seconds": seconds, "values": solution.x.tolist()}, file)
