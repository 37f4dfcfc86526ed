// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {StdAssertions} from "forge-std/StdAssertions.sol";
import {StdCheats} from "forge-std/StdCheats.sol";
import {StdUtils} from "forge-std/StdUtils.sol";
import {TestBase} from "forge-std/Base.sol";

/// @title What tests use of forge-std
/// @dev Its own `Test` also has the functions by which an invariant test names its targets, and the chains that it knows: each
/// test would be larger by a fifth, and the build as much longer. An invariant test inherits `StdInvariant` itself.
abstract contract Base is TestBase, StdAssertions, StdCheats, StdUtils {}
