// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The allocation problem, solved exactly and slowly
/// @notice Successive shortest paths on the graph of tasks and classes. Written from the statement of the problem alone:
/// it shares no code with the contracts but the three draws.
library Reference {
    uint256 internal constant SCALE = 1024;
    uint256 internal constant TICKS = 4096;
    /// @dev Clearing price of a class that nothing binds.
    uint256 internal constant UNBOUNDED = 1 << 53;
    uint256 private constant FAR = 1 << 100;

    struct TaskIn {
        uint32 id;
        uint256 demand;
        /// Micro-VER.
        uint256 maxPrice;
        /// Indices of its classes in the instance, ascending, and the surcharge of each in micro-VER.
        uint256[] columns;
        uint256[] surcharges;
        /// Units it has open, reopened ranges first, oldest first, then fresh ones: unit by unit.
        UnitIn[] openUnits;
    }

    struct UnitIn {
        uint24 index;
        uint24 fence;
        uint32 parent;
        uint8 reassignments;
    }

    struct NodeIn {
        uint32 id;
        uint256 tick;
        uint256 units;
        uint256 position;
    }

    struct ClassIn {
        uint8 id;
        uint256 tickSize;
        NodeIn[] nodes;
    }

    struct Instance {
        bytes32 seed;
        TaskIn[] tasks;
        ClassIn[] classes;
    }

    struct Solution {
        /// Per task and per place in its columns.
        uint256[][] flows;
        /// Per class, x 1024.
        uint256[] clearing;
        /// Objective, x 1024, with dither.
        uint256 cost;
    }

    /// @dev Working state of the search. Vertices: tasks first, then classes.
    struct Work {
        uint256[] granted;
        uint256[] open;
        /// Free units per class and tick, as a list sorted by tick.
        uint256[][] stepTick;
        uint256[][] stepUnits;
        int256[] dist;
        uint256[] via;
        uint256 tasks;
    }

    function draw(bytes32 seed, uint8 tag, uint32 a) internal pure returns (uint256) {
        return uint256(keccak256(bytes.concat(seed, bytes1(tag), bytes4(a), bytes4(0))));
    }

    /// @dev What a unit of the task costs in the class beside the node's price, x 1024 with dither.
    function surcharge(Instance memory p, uint256 t, uint256 f) internal pure returns (uint256) {
        TaskIn memory task = p.tasks[t];
        uint8 classId = p.classes[task.columns[f]].id;
        bytes memory seed = bytes.concat(p.seed, bytes1(uint8(1)), bytes4(task.id), bytes4(uint32(classId)));
        return task.surcharges[f] * SCALE + (uint256(keccak256(seed)) % SCALE);
    }

    function solve(Instance memory p) internal pure returns (Solution memory s) {
        Work memory w = _prepare(p);
        s.flows = new uint256[][](p.tasks.length);
        for (uint256 t; t < p.tasks.length; ++t) s.flows[t] = new uint256[](p.tasks[t].columns.length);
        for (uint256 t; t < p.tasks.length; ++t) {
            for (uint256 left = p.tasks[t].demand; left != 0;) left -= _augment(p, s, w, t, left);
        }
        s.clearing = _clearing(p, s, w);
        s.cost = cost(p, s.flows);
    }

    /// @dev Objective of these flows, each class served from its cheapest units on.
    function cost(Instance memory p, uint256[][] memory flows) internal pure returns (uint256 total) {
        uint256[] memory sums = new uint256[](p.classes.length);
        for (uint256 t; t < flows.length; ++t) {
            uint256 open = p.tasks[t].demand;
            for (uint256 f; f < flows[t].length; ++f) {
                sums[p.tasks[t].columns[f]] += flows[t][f];
                open -= flows[t][f];
                total += flows[t][f] * surcharge(p, t, f);
            }
            total += open * _limit(p.tasks[t].maxPrice);
        }
        for (uint256 k; k < sums.length; ++k) total += supplyCost(p.classes[k], sums[k]);
    }

    /// @dev Cost of the cheapest `units` units of a class, x 1024; {FAR} if it has fewer.
    function supplyCost(ClassIn memory class, uint256 units) internal pure returns (uint256 total) {
        (uint256[] memory ticks, uint256[] memory steps) = _steps(class);
        for (uint256 i; i < ticks.length && units != 0; ++i) {
            uint256 taken = steps[i] < units ? steps[i] : units;
            total += taken * ticks[i] * class.tickSize * SCALE;
            units -= taken;
        }
        if (units != 0) total = FAR;
    }

    function _prepare(Instance memory p) private pure returns (Work memory w) {
        w.tasks = p.tasks.length;
        w.granted = new uint256[](p.classes.length);
        w.open = new uint256[](p.tasks.length);
        w.stepTick = new uint256[][](p.classes.length);
        w.stepUnits = new uint256[][](p.classes.length);
        for (uint256 k; k < p.classes.length; ++k) (w.stepTick[k], w.stepUnits[k]) = _steps(p.classes[k]);
    }

    /// @dev Units per node in ascending order of ticks (insertion sort).
    function _steps(ClassIn memory class) private pure returns (uint256[] memory ticks, uint256[] memory units) {
        uint256 n = class.nodes.length;
        ticks = new uint256[](n);
        units = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            uint256 at = i;
            for (; at != 0 && ticks[at - 1] > class.nodes[i].tick; --at) {
                (ticks[at], units[at]) = (ticks[at - 1], units[at - 1]);
            }
            (ticks[at], units[at]) = (class.nodes[i].tick, class.nodes[i].units);
        }
    }

    /// @dev Price of the next free unit of a class and how many there are at that price from one node.
    function _nextStep(Instance memory p, Work memory w, uint256 k) private pure returns (uint256 price, uint256 left) {
        uint256 used = w.granted[k];
        for (uint256 i; i < w.stepUnits[k].length; ++i) {
            if (used < w.stepUnits[k][i]) {
                return (w.stepTick[k][i] * p.classes[k].tickSize * SCALE, w.stepUnits[k][i] - used);
            }
            used -= w.stepUnits[k][i];
        }
        return (FAR, 0);
    }

    /// @dev Sends up to `most` units of task `source` along the cheapest path: to a free unit, or to some task's open end.
    function _augment(
        Instance memory p,
        Solution memory s,
        Work memory w,
        uint256 source,
        uint256 most
    ) private pure returns (uint256 amount) {
        _distances(p, s, w, source);
        uint256 best;
        int256 bestCost = int256(FAR);
        for (uint256 v; v < w.dist.length; ++v) {
            if (w.dist[v] >= int256(FAR)) continue;
            int256 total = w.dist[v] + int256(_exit(p, w, v));
            if (total < bestCost) (best, bestCost) = (v, total);
        }
        amount = _bottleneck(p, s, w, best, most);
        if (best < w.tasks) w.open[best] += amount;
        else w.granted[best - w.tasks] += amount;
        for (uint256 v = best; v != source;) {
            uint256 from = w.via[v];
            if (from < w.tasks) s.flows[from][_column(p, from, v - w.tasks)] += amount;
            else s.flows[v][_column(p, v, from - w.tasks)] -= amount;
            v = from;
        }
    }

    /// @dev What a unit costs that ends at this vertex: left open at a task, run by the next free unit of a class.
    function _exit(Instance memory p, Work memory w, uint256 v) private pure returns (uint256 price) {
        if (v < w.tasks) return _limit(p.tasks[v].maxPrice);
        (price, ) = _nextStep(p, w, v - w.tasks);
    }

    function _bottleneck(
        Instance memory p,
        Solution memory s,
        Work memory w,
        uint256 end,
        uint256 most
    ) private pure returns (uint256 amount) {
        amount = most;
        if (end >= w.tasks) {
            (, uint256 left) = _nextStep(p, w, end - w.tasks);
            if (left < amount) amount = left;
        }
        for (uint256 v = end; w.via[v] != type(uint256).max; v = w.via[v]) {
            uint256 from = w.via[v];
            if (from < w.tasks) continue;
            uint256 flow = s.flows[v][_column(p, v, from - w.tasks)];
            if (flow < amount) amount = flow;
        }
    }

    /// @dev Bellman-Ford from one task over the residual graph.
    function _distances(Instance memory p, Solution memory s, Work memory w, uint256 source) private pure {
        uint256 n = w.tasks + p.classes.length;
        w.dist = new int256[](n);
        w.via = new uint256[](n);
        for (uint256 v; v < n; ++v) (w.dist[v], w.via[v]) = (int256(FAR), type(uint256).max);
        w.dist[source] = 0;
        for (bool changed = true; changed;) {
            changed = false;
            for (uint256 t; t < w.tasks; ++t) {
                for (uint256 f; f < p.tasks[t].columns.length; ++f) {
                    if (_relax(p, s, w, t, f)) changed = true;
                }
            }
        }
    }

    function _relax(
        Instance memory p,
        Solution memory s,
        Work memory w,
        uint256 t,
        uint256 f
    ) private pure returns (bool changed) {
        int256 price = int256(surcharge(p, t, f));
        uint256 k = w.tasks + p.tasks[t].columns[f];
        if (w.dist[t] < int256(FAR) && w.dist[t] + price < w.dist[k]) {
            (w.dist[k], w.via[k]) = (w.dist[t] + price, t);
            changed = true;
        }
        if (s.flows[t][f] != 0 && w.dist[k] < int256(FAR) && w.dist[k] - price < w.dist[t]) {
            (w.dist[t], w.via[t]) = (w.dist[k] - price, k);
            changed = true;
        }
    }

    /// @dev The greatest potentials of the classes: distances to the sink in the final residual graph.
    function _clearing(
        Instance memory p,
        Solution memory s,
        Work memory w
    ) private pure returns (uint256[] memory clearing) {
        clearing = new uint256[](p.classes.length);
        uint256[] memory u = new uint256[](p.tasks.length);
        for (uint256 k; k < clearing.length; ++k) {
            (uint256 next, ) = _nextStep(p, w, k);
            clearing[k] = next < UNBOUNDED ? next : UNBOUNDED;
        }
        for (uint256 t; t < u.length; ++t) u[t] = _limit(p.tasks[t].maxPrice);
        for (bool changed = true; changed;) {
            changed = false;
            for (uint256 t; t < u.length; ++t) {
                for (uint256 f; f < p.tasks[t].columns.length; ++f) {
                    uint256 k = p.tasks[t].columns[f];
                    uint256 price = surcharge(p, t, f);
                    if (clearing[k] + price < u[t]) (u[t], changed) = (clearing[k] + price, true);
                    if (s.flows[t][f] != 0 && u[t] < clearing[k] + price) {
                        (clearing[k], changed) = (u[t] - price, true);
                    }
                }
            }
        }
    }

    /// @dev Place of class `k` in the columns of task `t`.
    function _column(Instance memory p, uint256 t, uint256 k) private pure returns (uint256 f) {
        while (p.tasks[t].columns[f] != k) ++f;
    }

    /// @dev A task's maximum price as it counts in a round: x 1024, with the highest dither on top.
    function _limit(uint256 maxPrice) private pure returns (uint256) {
        return maxPrice * SCALE + SCALE - 1;
    }
}
