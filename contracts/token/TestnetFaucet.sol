// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Faucet of test VER
/// @notice Gives anyone a fixed amount a day, so that contributors and developers can start at once on a test network.
/// It is not part of a deployment on BASE.
contract TestnetFaucet {
    using SafeERC20 for IERC20;

    /// @notice The token given.
    IERC20 public immutable TOKEN;
    /// @notice Wei of VER per drip.
    uint256 public immutable DRIP;
    /// @notice Time between two drips to one address, seconds.
    uint256 public constant PERIOD = 1 days;

    /// @notice Time from which an address can be given again.
    mapping(address account => uint256 time) public nextDrip;

    event Dripped(address indexed account, uint256 amount);

    /// @notice The address was served less than a day ago.
    error AlreadyServed(address account, uint256 next);
    /// @notice The faucet holds less than a drip.
    error FaucetEmpty(uint256 balance, uint256 drip_);

    constructor(IERC20 token, uint256 drip_) {
        TOKEN = token;
        DRIP = drip_;
    }

    /// @notice Sends a drip to the caller.
    function drip() external {
        uint256 next = nextDrip[msg.sender];
        require(block.timestamp >= next, AlreadyServed(msg.sender, next));
        uint256 balance = TOKEN.balanceOf(address(this));
        require(balance >= DRIP, FaucetEmpty(balance, DRIP));
        nextDrip[msg.sender] = block.timestamp + PERIOD;
        emit Dripped(msg.sender, DRIP);
        TOKEN.safeTransfer(msg.sender, DRIP);
    }
}
