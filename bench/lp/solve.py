"""Solves a linear program, or the network that it is, several times over and says what each time took.

    python3 solve.py SOLVER MODEL OUT RUNS SECONDS

MODEL is the JSON file of bench/lp/program.ts. A run builds the solver's own model from arrays, solves it and reads the
values back. Times are processor time of this process and its children, user and system together, all threads.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile


def cpu():
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    return used


def highs(program):
    """Native HiGHS with its own settings but for the tolerance that integers of this size need."""
    costs = numpy.asarray(program["cost"], dtype=numpy.float64)
    scale = 1.0
    while costs.max(initial=0) * scale > 2.0**33:
        scale /= 2
    model = highspy.HighsLp()
    demand, classes = program["demand"], program["classes"]
    model.num_col_, model.num_row_ = len(costs), len(demand) + classes
    model.col_cost_ = costs * scale
    model.col_lower_ = numpy.zeros(len(costs))
    upper = numpy.asarray(program["upper"], dtype=numpy.float64)
    model.col_upper_ = numpy.where(upper < 0, highspy.kHighsInf, upper)
    model.row_lower_ = numpy.array(demand + [-highspy.kHighsInf] * classes)
    model.row_upper_ = numpy.array(demand + [0.0] * classes)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = numpy.asarray(program["starts"], dtype=numpy.int32)
    model.a_matrix_.index_ = numpy.asarray(program["rows"], dtype=numpy.int32)
    model.a_matrix_.value_ = numpy.asarray(program["values"], dtype=numpy.float64)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("dual_feasibility_tolerance", 1e-9)
    solver.passModel(model)
    solver.run()
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        sys.exit(f"HiGHS Error: status {status}")
    return list(solver.getSolution().col_value)


def ortools(program):
    """OR-Tools' min-cost flow: from tasks through classes to a sink, an arc for each column of the program."""
    tails, heads, room = program["tails"], program["heads"], program["room"]
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        numpy.asarray(tails, dtype=numpy.int32),
        numpy.asarray(heads, dtype=numpy.int32),
        numpy.asarray(room, dtype=numpy.int64),
        numpy.asarray(program["cost"], dtype=numpy.int64),
    )
    demand = program["demand"]
    sink = len(demand) + program["classes"]
    flow.set_nodes_supplies(
        numpy.append(numpy.arange(len(demand), dtype=numpy.int32), numpy.int32(sink)),
        numpy.append(numpy.asarray(demand, dtype=numpy.int64), -sum(demand)),
    )
    status = flow.solve()
    if status != flow.OPTIMAL:
        sys.exit(f"OR-Tools Error: status {status}")
    return flow.flows(arcs).tolist()


def scipy(program):
    """SciPy's linprog, which is HiGHS again, behind another interface."""
    demand, classes = program["demand"], program["classes"]
    tasks, costs = len(demand), program["cost"]
    matrix = csc_matrix(
        (program["values"], program["rows"], program["starts"]), shape=(tasks + classes, len(costs))
    ).tocsr()
    solution = linprog(
        numpy.array(costs, dtype=float),
        A_eq=matrix[:tasks],
        b_eq=numpy.array(demand, dtype=float),
        A_ub=matrix[tasks:],
        b_ub=numpy.zeros(classes),
        bounds=[(0, None if most < 0 else most) for most in program["upper"]],
        method="highs",
    )
    if solution.status != 0:
        sys.exit(f"SciPy Error: {solution.message}")
    return solution.x.tolist()


def clp(program):
    """Clp's own program, reading and writing included."""
    with tempfile.TemporaryDirectory() as folder:
        solution = os.path.join(folder, "solution")
        subprocess.run(
            ["clp", program["mps"], "-solve", "-solution", solution], check=True, stdout=subprocess.DEVNULL
        )
        values = [0.0] * len(program["cost"])
        with open(solution) as file:
            for line in file:
                words = line.replace("**", " ").split()
                if len(words) >= 3 and words[1][0] == "c" and words[1][1:].isdigit():
                    values[int(words[1][1:])] = float(words[2])
        return values


def main():
    name, model, out, runs, seconds = sys.argv[1:]
    ready = cpu()
    with open(model) as file:
        program = json.load(file)
    begun, before = cpu(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times, values = [], []
    while len(times) < int(runs) and (not times or sum(times) < float(seconds)):
        start = cpu()
        values = {"highs-native": highs, "ortools-flow": ortools, "scipy": scipy, "clp": clp}[name](program)
        times.append(cpu() - start)
    # A child's memory counts where the child is the solver.
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    with open(out, "w") as file:
        json.dump(
            {
                "start": ready,
                "read": begun - ready,
                "times": times,
                "peak": peak / 1024,
                "before": before / 1024,
                "values": values,
            },
            file,
        )


if __name__ == "__main__":
    if sys.argv[1] != "clp":
        import numpy
    if sys.argv[1] == "highs-native":
        import highspy
    if sys.argv[1] == "ortools-flow":
        from ortools.graph.python import min_cost_flow
    if sys.argv[1] == "scipy":
        from scipy.optimize import linprog
        from scipy.sparse import csc_matrix
    if len(sys.argv) > 2:
        main()
