// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @dev A set of classes of nodes: bit k stands for the class with id k.
type ClassSet is uint256;

using {count, first, has, isEmpty, union, withClass, without, withoutFirst} for ClassSet global;

/// @dev Number of classes in the set. O(classes in it).
function count(ClassSet set) pure returns (uint256 classes) {
    for (uint256 bits = ClassSet.unwrap(set); bits != 0; bits &= bits - 1) ++classes;
}

/// @dev The lowest class id of a set that is not empty.
function first(ClassSet set) pure returns (uint8 classId) {
    uint256 bits = ClassSet.unwrap(set);
    return uint8(Math.log2(bits & (~bits + 1)));
}

/// @dev Whether the class is in the set.
function has(ClassSet set, uint8 classId) pure returns (bool) {
    return (ClassSet.unwrap(set) >> classId) & 1 != 0;
}

/// @dev Whether the set holds no class.
function isEmpty(ClassSet set) pure returns (bool) {
    return ClassSet.unwrap(set) == 0;
}

/// @dev The classes of both sets.
function union(ClassSet a, ClassSet b) pure returns (ClassSet) {
    return ClassSet.wrap(ClassSet.unwrap(a) | ClassSet.unwrap(b));
}

/// @dev The set and one class.
function withClass(ClassSet set, uint8 classId) pure returns (ClassSet) {
    return ClassSet.wrap(ClassSet.unwrap(set) | (1 << classId));
}

/// @dev The classes of the first set that are not in the second.
function without(ClassSet a, ClassSet b) pure returns (ClassSet) {
    return ClassSet.wrap(ClassSet.unwrap(a) & ~ClassSet.unwrap(b));
}

/// @dev The set without its lowest class id; a loop over the ids in ascending order goes on with it.
function withoutFirst(ClassSet set) pure returns (ClassSet) {
    uint256 bits = ClassSet.unwrap(set);
    return ClassSet.wrap(bits & (bits - 1));
}
