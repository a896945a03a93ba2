//! What `plimsoll allocate` refuses: one line with the place and the key, exit code 2.

use super::{allocate::POOL, harness::*};

#[track_caller]
fn refused(config: &str, says: &[&str]) {
    let dir = fresh_folder();
    put(dir.path(), "c.toml", config);
    plimsoll_in(dir.path(), ["allocate", "c.toml"]).refused(2, says);
}

/// The pool with one of its lines changed.
fn pool(from: &str, to: &str) -> String {
    assert!(POOL.contains(from), "{from}");
    format!("capital_usd = 1000\n[[source]]\nid = \"a\"\n{}", POOL.replace(from, to))
}

const FIXED: &str = "capital_usd = 1000\n[[source]]\nid = \"a\"\nkind = \"fixed\"\napr = 0.05\n";

#[test]
fn numbers_that_no_source_has_are_named_with_their_line() {
    let cases = [
        (
            "borrowed_usd = 5e5",
            "borrowed_usd = 2e6",
            "line 11",
            "utilization over 100 %",
        ),
        (
            "supplied_usd = 1e6\nborrowed_usd = 5e5",
            "supplied_usd = 0\nborrowed_usd = 0",
            "line 10",
            "`supplied_usd` is 0",
        ),
        ("base = 0.0", "base = -0.01", "line 5", "`base` is -0.01, below 0"),
        ("base = 0.0", "base = nan", "line 5", "`base` is NaN"),
        ("slope1 = 0.04", "slope1 = inf", "line 6", "`slope1` is inf"),
        ("slope2 = 0.6", "slope2 = -1", "line 7", "`slope2`"),
        (
            "optimal_utilization = 0.8",
            "optimal_utilization = 1.2",
            "line 8",
            "`optimal_utilization` is 1.2, above 1",
        ),
        (
            "optimal_utilization = 0.8",
            "optimal_utilization = 0",
            "line 8",
            "`optimal_utilization` is 0",
        ),
        (
            "reserve_factor = 0.0",
            "reserve_factor = 1.5",
            "line 9",
            "`reserve_factor`",
        ),
        ("base = 0.0", "base = 0.0\nmax_usd = -1", "line 6", "`max_usd` is -1"),
        ("base = 0.0\n", "", "line 3", "`base` is missing"),
        (
            "base = 0.0",
            "base = 0.0\napr = 0.1",
            "line 6",
            "`apr` is no key of kind `kinked`",
        ),
        ("base = 0.0", "base = 0.0\nbse = 0.1", "line 6", "unknown field `bse`"),
        ("\"kinked\"", "\"kinkd\"", "line 4", "unknown variant `kinkd`"),
        ("base = 0.0", "base = \"much\"", "line 5", "invalid type"),
        ("base = 0.0", "base = 0.0\nbase = 0.1", "line 6", "duplicate key"),
    ];
    for (from, to, line, says) in cases {
        refused(&pool(from, to), &["c.toml", line, says]);
    }
}

#[test]
fn capital_and_constraints_that_are_none_are_named_with_their_line() {
    for capital in ["0", "-5", "nan", "inf"] {
        let config = FIXED.replace("capital_usd = 1000", &format!("capital_usd = {capital}"));
        refused(&config, &["line 1 ", "`capital_usd`", "above 0"]);
    }
    refused(
        &FIXED.replace("capital_usd = 1000\n", ""),
        &["`capital_usd`", "missing"],
    );
    refused("capital_usd = 1000\n", &["there is no [[source]]"]);
    let twice = format!("{FIXED}[[source]]\nid = \"a\"\nkind = \"fixed\"\napr = 0.01\n");
    refused(&twice, &["line 7", "source `a` is given twice"]);
    let cases = [
        ("max_share = 0", "`max_share` is 0"),
        ("max_share = 1.5", "`max_share` is 1.5"),
        ("max_shar = 0.5", "unknown field `max_shar`"),
        ("min_liquid_share = 2", "`min_liquid_share` is 2"),
        ("max_turnover_usd = -1", "`max_turnover_usd` is -1"),
        ("min_position_usd = nan", "`min_position_usd` is NaN"),
        ("gas_usd_per_change = 5", "`gas_usd_per_change` needs `holding_days`"),
        ("max_per_protocol = 0.5", "source `a` names no `protocol`"),
        ("margin = -1", "`margin` is -1"),
    ];
    for (line, says) in cases {
        refused(&format!("{FIXED}[constraints]\n{line}\n"), &["line 7", says]);
    }
}

#[test]
fn groups_and_holdings_of_no_source_are_refused() {
    let group = |rest: &str| format!("{FIXED}[[constraints.groups]]\nname = \"g\"\n{rest}");
    refused(
        &group("sources = []\nmax_usd = 5\n"),
        &["line 8", "group `g` names no source"],
    );
    refused(
        &group("sources = [\"b\"]\nmax_usd = 5\n"),
        &["line 8", "names `b`, which is no source"],
    );
    refused(
        &group("sources = [\"a\", \"a\"]\nmax_usd = 5\n"),
        &["line 8", "names `a` twice"],
    );
    refused(&group("sources = [\"a\"]\n"), &["line 7", "limits nothing"]);
    refused(&format!("{FIXED}[holdings]\nb = 5\n"), &["line 7", "`b` is no source"]);
    refused(
        &format!("{FIXED}[holdings]\na = 5000\n"),
        &["line 7", "more than capital_usd"],
    );
    refused(
        &format!("{FIXED}[holdings]\na = -1\n"),
        &["line 7", "`holdings.a` is -1"],
    );
}

#[test]
fn constraints_that_conflict_are_named() {
    let two = format!("{FIXED}min_usd = 800\n[[source]]\nid = \"b\"\nkind = \"fixed\"\napr = 0.01\nmin_usd = 300\n");
    refused(
        &two,
        &[
            "no allocation keeps to all",
            "min_usd of source `a`",
            "min_usd of source `b`",
            "capital_usd",
        ],
    );
    refused(
        &format!("{FIXED}min_usd = 800\nprotocol = \"p\"\n[constraints]\nmax_per_protocol = 0.5\n"),
        &["min_usd of source `a`", "max_per_protocol of `p`"],
    );
}

#[test]
fn scenarios_must_be_of_the_sources() {
    let config = format!("{FIXED}[constraints.cvar]\nscenarios = \"losses.csv\"\n");
    refused(&config, &["line 7", "`scenarios`", "losses.csv"]);
    let with = |losses: &str, rest: &str, says: &[&str]| {
        let dir = fresh_folder();
        put(dir.path(), "losses.csv", losses);
        put(dir.path(), "c.toml", format!("{config}{rest}"));
        plimsoll_in(dir.path(), ["allocate", "c.toml"]).refused(2, says);
    };
    with("b\n0.1\n", "", &["column 'b' is no source"]);
    with("scenario\n1\n", "", &["source `a` has no column"]);
    with("a\nmuch\n", "", &["row 1", "expected a number"]);
    with("a\nNaN\n", "", &["loss of NaN"]);
    with("a\n", "", &["no scenario"]);
    with("a\n0.1\n", "level = 1.0\n", &["line 8", "`level` is 1"]);
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    let dir = fresh_folder();
    put(dir.path(), "c.toml", FIXED);
    plimsoll_in(dir.path(), ["allocate"]).refused(2, &["CONFIG.toml", "--capital-usd"]);
    plimsoll_in(dir.path(), ["allocate", "c.toml", "--capital-usd", "5"]).refused_flags(&["cannot be used with"]);
    plimsoll_in(dir.path(), ["allocate", "none.toml"]).refused(2, &["none.toml"]);
    plimsoll_in(dir.path(), ["allocate", "c.toml", "--asset", "USDC"]).refused(2, &["--sample"]);
    let nowhere = ["allocate", "c.toml", "--sample", "--asset", "PEPE"];
    plimsoll_in(dir.path(), nowhere).refused(2, &["--asset PEPE"]);
}
