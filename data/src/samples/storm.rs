use super::{
    Sample, SampleAaveV3, SampleCToken, SampleCompoundV2, SampleLending, SamplePool, SampleReserve, SampleToken,
};
use alloy_primitives::{Address, address};
use plimsoll_protocols::uniswap_v3::PoolParams;
use plimsoll_units::Network;

const WETH: SampleToken = SampleToken {
    address: address!("e3a207e4225D459095491Ea75D30B31968dfF887"),
    symbol: "WETH",
    decimals: 18,
};
const USDC: SampleToken = SampleToken {
    address: address!("53d6b88396dA2e0e34AC9009c5C5bD4Ee464Ea86"),
    symbol: "USDC",
    decimals: 6,
};
const WBTC: SampleToken = SampleToken {
    address: address!("354a969c5aAC61f134B51a22AF1b7766b0215656"),
    symbol: "WBTC",
    decimals: 8,
};
const DAI: SampleToken = SampleToken {
    address: address!("f7eDFC7a11C3048255F04506A133F5b7051008A4"),
    symbol: "DAI",
    decimals: 18,
};
const LINK: SampleToken = SampleToken {
    address: address!("1e75Bfd9b0c42CaC3AcBaCF66a644996e1973c1a"),
    symbol: "LINK",
    decimals: 18,
};

const AAVE: SampleAaveV3 = SampleAaveV3 {
    provider: address!("F2B6a8a9682ce956e2ed1756f087018F635b931B"),
    pool: address!("7e08be93e797Db207AC97c0773a590aF2Df6E454"),
    revision: 10,
    configurator: address!("D0222a148750357c0834D7b284ECF3abeBF30A4d"),
    oracle: address!("1CFE1D416Bc9492cc0F37231E9564aDA2dd4040f"),
    treasury: Address::repeat_byte(0x7e),
    rate_strategy: address!("026df38e3a937cA9e5daa14d54A8C91CDBB599De"),
    reserves: &[
        SampleReserve {
            token: WETH,
            a_token: address!("b4B35FE2D8901A17Fd72cbB3742dF3AE4d4b7499"),
            variable_debt_token: address!("73329Bdb7C851C508a2251e781F9333E34825531"),
            feed: address!("FeFefEfefeFEfEfEfEfeFEFefefeFeFefefefE00"),
        },
        SampleReserve {
            token: USDC,
            a_token: address!("E0134d45c8522Ea2Ea2e337832A5F20ea124e092"),
            variable_debt_token: address!("5f7067d02Fe86BE4E2Fb907AaFE553b466E3df72"),
            feed: address!("fEfEfEFefeFeFEfeFEFefEfEFefEfEFEfEFefe01"),
        },
        SampleReserve {
            token: WBTC,
            a_token: address!("3B8e2Ce093399ea169D34BD3FeC62f045259543e"),
            variable_debt_token: address!("1fC8bDBc53EF447f5dF20eF47Cb99E53d5Ca4bB5"),
            feed: address!("FEfEfefeFeFEFEfEFeFEFefEfefEFEfefeFefE02"),
        },
        SampleReserve {
            token: DAI,
            a_token: address!("1Aeb679F3DB422a6B94BC0D425c8c2277c13f74c"),
            variable_debt_token: address!("4aa9311C84C590AD7D032dF9062D2755fc1B9691"),
            feed: address!("feFEfefEFEFEfefEFeFeFeFEfefefefeFeFEfe03"),
        },
        SampleReserve {
            token: LINK,
            a_token: address!("17c92C76023655DfA1df616AF47666228039AB16"),
            variable_debt_token: address!("Ac54474A942adc89a792D608C56e1e6257119D97"),
            feed: address!("FefEFEFefeFEFEFeFEFefefEfEfEfEfEFeFeFe04"),
        },
    ],
};

const COMPOUND: SampleCompoundV2 = SampleCompoundV2 {
    comptroller: address!("6265F644f149b4EfF3c2952cd2A2C0420C7eD851"),
    oracle: address!("Eaf2CB1C6f1BeF07eFd0B2BE8D8aC60c0514C357"),
    markets: &[
        SampleCToken {
            token: WETH,
            c_token: address!("f575Ef72abd5a6a051C76AefbA8E83D8b450D700"),
            rate_model: address!("E0ea9c4a7917c335072d6F55b90F7A4d2Cbfff1e"),
            initial_exchange_rate: 2 * 10u128.pow(26),
            feed: address!("FeFefEfefeFEfEfEfEfeFEFefefeFeFefefefE00"),
        },
        SampleCToken {
            token: USDC,
            c_token: address!("883e17276F2d20C33F0435da6a4B3147Cf794682"),
            rate_model: address!("5E7Dcc1810f0a2400E367dbdbEED26633CEDE7a5"),
            initial_exchange_rate: 2 * 10u128.pow(14),
            feed: address!("fEfEfEFefeFeFEfeFEFefEfEFefEfEFEfEFefe01"),
        },
        SampleCToken {
            token: WBTC,
            c_token: address!("9DAa846ec66097b75ba44f9a0B862C765c81a377"),
            rate_model: address!("7E08bD45791Cf1C8DA0F8e4a6691cAA5f150F7Cc"),
            initial_exchange_rate: 2 * 10u128.pow(16),
            feed: address!("FEfEfefeFeFEFEfEFeFEFefEfefEFEfefeFefE02"),
        },
        SampleCToken {
            token: DAI,
            c_token: address!("225B37D61d94Dce0759f46039d8bAB6839157a8b"),
            rate_model: address!("93032A1aFe703D29847795207E811f0113B53EAd"),
            initial_exchange_rate: 2 * 10u128.pow(26),
            feed: address!("feFEfefEFEFEfefEFeFeFeFEfefefefeFeFEfe03"),
        },
    ],
};

pub(super) const STORM: Sample = Sample {
    name: "storm",
    description: "synthetic: two days of USDC/WETH on the published Uniswap v3 contracts, with lending on Aave v3 and Compound v2, \
                  recorded from a local chain under a seeded scenario; no market ever saw these prices",
    network: Network::DEVNET,
    pools: &[
        SamplePool {
            address: address!("0EAE93CfB4Bf5bfC6D779f197EC5138399B7Cf40"),
            token0: USDC,
            token1: WETH,
            params: PoolParams {
                fee_pips: 500,
                tick_spacing: 10,
            },
        },
        SamplePool {
            address: address!("ed5148B9BDA2f60559054cb51847a4FDCFc8E695"),
            token0: USDC,
            token1: WETH,
            params: PoolParams {
                fee_pips: 3_000,
                tick_spacing: 60,
            },
        },
    ],
    lending: &[SampleLending::AaveV3(AAVE), SampleLending::CompoundV2(COMPOUND)],
    native: WETH,
    seed: 1876,
    blocks_spanned: (400, 15_399),
    pools_from: 1_000,
    logs: include_bytes!("../../samples/storm/devnet__logs.parquet"),
    blocks: include_bytes!("../../samples/storm/devnet__blocks.parquet"),
};
