//! The published packages that the contracts and the node come from, each pinned by its archive's hash.

/// A published package, pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    /// Name and version, as npm takes them.
    pub name: &'static str,
    /// sha512 of its archive, base64, as the registry publishes it.
    pub sha512: &'static str,
}

/// Factory and pair of Uniswap v2.
pub const UNISWAP_V2_CORE: Package = Package {
    name: "@uniswap/v2-core@1.0.1",
    sha512: "MtybtkUPSyysqLY2U210NBDeCHX+ltHt3oADGdjqoThZaFRDKwM6k1Nb3F0A3hk5hwuQvytFWhrWHOEq6nVJ8Q==",
};

/// Router of Uniswap v2, and WETH9.
pub const UNISWAP_V2_PERIPHERY: Package = Package {
    name: "@uniswap/v2-periphery@1.1.0-beta.0",
    sha512: "6dkwAMKza8nzqYiXEr2D86dgW3TTavUvCR0w2Tu33bAbM8Ah43LKAzH7oKKPRT5VJQaMi1jtkGs1E8JPor1n5g==",
};

/// Factory and pool of Uniswap v3.
pub const UNISWAP_V3_CORE: Package = Package {
    name: "@uniswap/v3-core@1.0.1",
    sha512: "7pVk4hEm00j9tc71Y9+ssYpO6ytkeI0y7WE9P6UcmNzhxPePwyAxImuhVsTqWK9YFvzgtvzJHi64pBl4jUzKMQ==",
};

/// Router, position manager and lenses of Uniswap v3.
pub const UNISWAP_V3_PERIPHERY: Package = Package {
    name: "@uniswap/v3-periphery@1.4.4",
    sha512: "S4+m+wh8HbWSO3DKk4LwUCPZJTpCugIsHrWR86m/OrUyvSqGDTXKFfc2sMuGXCZrD1ZqO3rhQsKgdWg3Hbb2Kw==",
};

/// Pool manager, lenses and periphery of Uniswap v4.
pub const UNISWAP_V4_PERIPHERY: Package = Package {
    name: "@uniswap/v4-periphery@1.0.3",
    sha512: "JxLL0Djv9XcMvI2PatEnWrCrxuEaYNVhHxstndBOP+aJfh1XLg5ec8SDZ0xyoVfg2ElJTvuKpBgnu90bNValsg==",
};

/// Aave v3.0.2, whose mintable ERC-20 the test tokens are.
pub const AAVE_V3_CORE: Package = Package {
    name: "@aave/core-v3@1.19.3",
    sha512: "Xr7+VcoU5b4mPwM4IUCnskw3lciwrnL4Xloyad8GOddYeixnri2lZYobNmErm1LwE50vqjI0O+9QGNKY2TDkeQ==",
};

/// Aave v3.6.0, as source.
pub(crate) const AAVE_V3_ORIGIN: Package = Package {
    name: "@aave-dao/aave-v3-origin@3.6.0",
    sha512: "TwK/TpTZGArN0G3AE+0NoafsaXc7BiXdZhYuxcD+8A5OjIGolp0cqu5FZcTDLo/pbavJvMU5v0php/LEJiJ/cQ==",
};

/// What Aave v3.6.0 is built on.
pub(crate) const BGD_SOLIDITY_UTILS: Package = Package {
    name: "@bgd-labs/solidity-utils@1.1.2",
    sha512: "GgKwrjgdfnd9yKiWX1LDWysbVIyw/HTvqewq+4I2FAJXJt7AdUgSOCSi/cJi4dymsQmE1u/zgXHSeFH5fI+XsA==",
};

/// What Aave v3.6.0 is built on.
pub(crate) const OPENZEPPELIN: Package = Package {
    name: "@openzeppelin/contracts@5.4.0",
    sha512: "eCYgWnLg6WO+X52I16TZt8uEjbtdkgLC0SUX/xnAksjjrQI4Xfn4iBRoI5j55dmlOhDv1Y7BoR3cU7e3WWhC6A==",
};

/// What Aave v3.6.0 is built on.
pub(crate) const OPENZEPPELIN_UPGRADEABLE: Package = Package {
    name: "@openzeppelin/contracts-upgradeable@5.4.0",
    sha512: "STJKyDzUcYuB35Zub1JpWW58JxvrFFVgQ+Ykdr8A9PGXgtq/obF5uoh07k2XmFyPxfnZdPdBdhkJ/n2YxJ87HQ==",
};

/// The compiler of Aave v3.6.0.
pub(crate) const SOLC_0_8_27: Package = Package {
    name: "solc@0.8.27",
    sha512: "BNxMol2tUAbkH7HKlXBcBqrGi2aqgv+uMHz26mJyTtlVgWmBA4ktiw0qVKHfkjf2oaHbwtbtaSeE2dhn/gTAKw==",
};

/// Compound v2, as a third party built it (solc 0.5.16), in TypeChain's factories.
pub const COMPOUND_V2: Package = Package {
    name: "@thenextblock/hardhat-compound@0.0.14",
    sha512: "lqfSEtEGl19jv7Kp/xwthUmm6Eok3hQI+YSgL4KxKc6jWJp5PYeH2Uv2KITcSDsgynNTioFf5tGWj0ad1/z3Kw==",
};

/// Aave v2.
pub(crate) const AAVE_V2: Package = Package {
    name: "@aave/protocol-v2@1.0.1",
    sha512: "MU3WiigW89DWDpCtvaw4rafih7RbADB45uUM/zqfnOD4g9JNUVfeT6MrjV4/DP/JPA2Iv5ySKSx+a1OfUES0Pg==",
};

/// Multicall3, as source.
pub(crate) const CHAINLINK_CONTRACTS: Package = Package {
    name: "@chainlink/contracts@1.5.0",
    sha512: "1fGJwjvivqAxvVOTqZUEXGR54CATtg0vjcXgSIk4Cfoad2nUhSG/qaWHXjLg1CkNTeOoteoxGQcpP/HiA5HsUA==",
};

/// The compiler that Multicall3 was published with.
pub(crate) const SOLC: Package = Package {
    name: "solc@0.8.12",
    sha512: "TU3anAhKWBQ/WrerJ9EcHrNwGOA1y5vIk5Flz7dBNamLDkX9VQTIwcKd3FiZsT0Ew8rSU7RTmJyGNHRGzP5TBA==",
};

/// The node for this machine; `None` where none is published for it.
pub(crate) fn anvil() -> Option<Package> {
    let (name, sha512) = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => (
            "@foundry-rs/anvil-linux-amd64@1.7.1",
            "+XmShybEaxfCrr0OUUZwYEy2OnYZt5pHH9TzBtLv3+VrK0O/ANuNSVEahqNhKHlgX7GRJ59383ofNhxkRWIYTg==",
        ),
        ("linux", "aarch64") => (
            "@foundry-rs/anvil-linux-arm64@1.7.1",
            "ykHJmFOGdBR8+9smOKBm9ZZDCCCkLQctiHOAddLvmYx9mPeBDMfq6jP51hKYsO5MG8ClPLSlWe+JpiXPjoXgBQ==",
        ),
        ("macos", "aarch64") => (
            "@foundry-rs/anvil-darwin-arm64@1.7.1",
            "JNeu3+A3f/npXLn8SR8EahVcqE7BpO9VQZMcPvSIy27/RNc1GsoEBvSLR99aSvt8sGKWAgNg/EzrtjAPq6mxcA==",
        ),
        ("macos", "x86_64") => (
            "@foundry-rs/anvil-darwin-amd64@1.7.1",
            "OgwzwY+FsGrsPyDv4mmbhOwARO8s37YHrm2qaNzgSH4VlKnXgJCrnoT7bpgOhLyBPtxXjBT8L2E3b79deesXRg==",
        ),
        _ => return None,
    };
    Some(Package { name, sha512 })
}
