use super::*;
use crate::fixture::{POOL, gzip, put, real};
use tempfile::tempdir;

fn tick(tick: i32, net: i128) -> SnapshotTick {
    SnapshotTick {
        tick: Tick::new(tick).unwrap(),
        liquidity_gross: net.unsigned_abs(),
        liquidity_net: net,
        fee_growth_outside0_x128: Some(U256::MAX),
        fee_growth_outside1_x128: Some(U256::from(7)),
    }
}

fn sample() -> Snapshot {
    Snapshot {
        chain_id: 1,
        pool: POOL,
        block_number: 18_937_381,
        block_hash: Some(B256::repeat_byte(9)),
        fee_pips: 500,
        tick_spacing: 10,
        sqrt_price_x96: SqrtPriceX96::MAX,
        tick: Tick::new(25).unwrap(),
        liquidity: 1 << 100,
        fee_protocol: 0x44,
        fee_growth_global0_x128: Some(U256::MAX),
        fee_growth_global1_x128: None,
        ticks: vec![tick(-20, 1 << 100), tick(20, 5), tick(20 + 10, -5 - (1 << 100))],
    }
}

fn valid() -> Snapshot {
    Snapshot {
        liquidity: (1 << 100) + 5,
        ..sample()
    }
}

fn refused(change: impl FnOnce(&mut Snapshot)) -> String {
    let mut snapshot = valid();
    change(&mut snapshot);
    let text = serde_json::to_string(&json::Document::from(&snapshot)).unwrap();
    refused_text(&text)
}

fn refused_text(text: &str) -> String {
    let message = parse_snapshot(Path::new("pool.json"), text.as_bytes())
        .expect_err("refused")
        .to_string();
    assert!(!message.contains('\n'), "{message}");
    message.strip_prefix("pool.json: ").expect("names the file").to_owned()
}

#[test]
fn a_snapshot_comes_back_as_written() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("pool.json");
    write_snapshot(&path, &valid()).unwrap();
    assert_eq!(read_snapshot(&path).unwrap(), valid());
    let text = fs::read(&path).unwrap();
    let path = put(dir.path(), "pool.json.gz", gzip(&text));
    assert_eq!(read_snapshot(&path).unwrap(), valid());
    let cut = put(dir.path(), "cut.json.gz", &gzip(&text)[..60]);
    assert!(
        read_snapshot(&cut)
            .unwrap_err()
            .to_string()
            .ends_with("the file is incomplete, fetch it again")
    );
    let without = Snapshot {
        block_hash: None,
        fee_growth_global0_x128: None,
        ..valid()
    };
    let text = format_snapshot(&path, &without).unwrap();
    assert!(text.contains("\"block_hash\": null") && !text.contains("fee_growth_global"));
    assert_eq!(parse_snapshot(&path, text.as_bytes()).unwrap(), without);
    assert!(write_snapshot(&path, &sample()).is_err());
}

#[test]
fn rules_are_checked_and_the_key_is_named() {
    assert_eq!(
        refused(|s| s.liquidity += 1),
        "liquidity: 1267650600228229401496703205382, but the ticks up to 25 add up to 1267650600228229401496703205381"
    );
    assert!(refused(|s| s.ticks[1].tick = Tick::new(21).unwrap()).starts_with("ticks[1].tick: 21 is no multiple"));
    assert_eq!(
        refused(|s| s.ticks.swap(0, 1)),
        "ticks[1].tick: -20 comes after 20: ticks must rise"
    );
    assert_eq!(
        refused(|s| s.ticks[1].tick = s.ticks[0].tick),
        "ticks[1].tick: -20 is there twice"
    );
    assert!(refused(|s| s.ticks[1].liquidity_gross = 4).starts_with("ticks[1].liquidity_gross: 4 is less than"));
    assert!(refused(|s| s.ticks[1].liquidity_gross = 0).contains("is not initialised"));
    assert!(refused(|s| s.ticks.truncate(2)).starts_with("ticks: the liquidity_net of all ticks add up to 1267650"));
    assert!(
        refused(|s| s.ticks[0] = tick(-20, -1)).starts_with("ticks[0].liquidity_net: the liquidity in range falls")
    );
    assert!(refused(|s| s.tick_spacing = 0).starts_with("tick_spacing: 0 lies outside"));
    assert!(refused(|s| s.fee_pips = 1_000_000).starts_with("fee_pips: "));
    assert!(refused(|s| s.fee_protocol = 0x34).starts_with("fee_protocol: 52 is not"));
}

#[test]
fn bad_json_is_one_line() {
    let good = serde_json::to_string(&json::Document::from(&valid())).unwrap();
    assert!(refused_text("").starts_with("no snapshot: EOF"));
    assert!(refused_text("[]").starts_with("no snapshot: "));
    assert!(refused_text("{}").contains("missing field `schema`"));
    assert!(
        refused_text(&good.replace("\"tick_spacing\":10", "\"tick_spacing\":10,\"x\":1")).contains("unknown field `x`")
    );
    assert!(refused_text(&good.replace("snapshot/1", "snapshot/2")).starts_with("schema: 'plimsoll.snapshot/2', this"));
    assert!(
        refused_text(&good.replace("\"liquidity_net\":\"5\"", "\"liquidity_net\":\"+5\""))
            .starts_with("ticks[1].liquidity_net: expected decimal digits, got '+5'")
    );
    let wide = format!("\"liquidity\":\"{}\"", U256::MAX);
    let liquidity = format!("\"liquidity\":\"{}\"", valid().liquidity);
    assert!(refused_text(&good.replace(&liquidity, &wide)).ends_with("does not fit 128 bits"));
    assert!(refused_text(&good.replace("\"tick\":25", "\"tick\":887273")).starts_with("tick: 887273 lies outside of"));
    assert!(refused_text(&good.replace("\"liquidity\":\"", "\"liquidity\":\"0x")).starts_with("liquidity: expected"));
}

#[test]
fn a_state_dump_of_a_real_pool_is_read() {
    let Some(path) = real("uniswap_v3/golden/wbtc_weth_3000_state_24407242.json") else {
        return;
    };
    let snapshot = read_snapshot(&path).unwrap();
    assert_eq!(snapshot.ticks.len(), 458);
    assert_eq!(
        (snapshot.fee_pips, snapshot.tick_spacing, snapshot.tick.get()),
        (3000, 60, 265_269)
    );
    assert_eq!(
        snapshot.sqrt_price_x96.to_string(),
        "45586356773108504879089041748871691"
    );
    assert_eq!(snapshot.liquidity, 77_835_804_873_159_631);
    let text = format_snapshot(&path, &snapshot).unwrap();
    assert_eq!(parse_snapshot(&path, text.as_bytes()).unwrap(), snapshot);
}
