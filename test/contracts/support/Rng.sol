// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title A stream of pseudo-random numbers for building random instances
library Rng {
    struct Stream {
        uint256 state;
    }

    function from(uint256 seed) internal pure returns (Stream memory) {
        return Stream(seed);
    }

    /// @dev A number in [0, bound).
    function below(Stream memory s, uint256 bound) internal pure returns (uint256) {
        s.state = uint256(keccak256(abi.encode(s.state)));
        return s.state % bound;
    }

    /// @dev True once in `n` times.
    function oneIn(Stream memory s, uint256 n) internal pure returns (bool) {
        return below(s, n) == 0;
    }
}
