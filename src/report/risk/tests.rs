use super::{fixture, risk_html};

/// Every section that can be there.
const SECTIONS: [&str; 10] = [
    "Health factors",
    "Liquidation ladder",
    "Liquidation cascade",
    "Two assets at once",
    "Liquidations ahead",
    "Parameters that would hold",
    "Reverse stress",
    "Concentration",
    "Exit liquidity",
    "Terms and utilization today",
];

#[test]
fn all_that_was_computed_is_there_and_nothing_else() {
    let book = fixture::book();
    let (full, bare) = (risk_html(&fixture::full(&book)), risk_html(&fixture::bare(&book)));
    for section in SECTIONS {
        let title = format!("<h2>{section}</h2>");
        assert!(full.contains(&title), "{section}");
        assert!(!bare.contains(&title), "{section}");
    }
    assert!(!bare.contains("<svg") && !bare.contains("class=\"cards\""));
    for page in [&full, &bare] {
        assert!(page.contains(&"ab".repeat(32)) && page.contains(env!("CARGO_PKG_VERSION")));
    }
    assert!(full.contains(&"cd".repeat(32)) && full.contains("1 position owes more than all it has"));
}

#[test]
fn loads_nothing_runs_nothing_and_escapes_what_is_in_a_book() {
    let book = fixture::book();
    let page = risk_html(&fixture::full(&book));
    for bad in [
        "<script", "http://", "https://", "src=", "url(", "NaN", "inf ", "<u>", "<i>core",
    ] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("&lt;u&gt;39&lt;/u&gt;") && page.contains("Content-Security-Policy"));
}

#[test]
fn figures_are_those_that_the_hand_computes() {
    let book = fixture::book();
    let report = fixture::full(&book);
    let page = risk_html(&report);
    // 2,500 + 40 · 8,000 + 190 · (0 + … + 39) = 470,700; ETH 401 · 2,000 + WBTC 14 · 4,000 = 858,000.
    assert!(page.contains("41 positions owe") && page.contains("title=\"470,700.00 USD\">471k"));
    assert!(page.contains("title=\"858,000.00 USD\">858k"));
    // One owes 2,500 against 2,000; with 1,600 that count it alone is below 1.
    assert!(page.contains("1 of them, owing") && page.contains("title=\"2,500.00 USD\">2.50k"));
    // Without a fall its 500 are all the bad debt there is.
    assert!(page.contains("<td class=\"s1\" title=\"500.00 USD\">500</td>"));
    assert!(
        page.contains("± 3.36k") && page.contains("168k"),
        "p99 of liquidations with its error"
    );
}

#[test]
fn every_name_on_the_page_is_there_once() {
    let book = fixture::book();
    let page = risk_html(&fixture::full(&book));
    let mut names: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert!(all > 10 && names.len() == all, "{names:?}");
}

#[test]
fn many_rounds_are_folded_and_no_round_is_no_chart() {
    let book = fixture::book();
    let mut report = fixture::full(&book);
    let cascaded = report.cascade.as_mut().expect("one");
    cascaded.rounds = vec![cascaded.rounds[0]; 30];
    assert!(risk_html(&report).contains("9 – 26"));
    let cascaded = report.cascade.as_mut().expect("one");
    cascaded.rounds.clear();
    cascaded.outcome.detail.clear();
    cascaded.outcome.rounds = 0;
    let page = risk_html(&report);
    assert!(
        page.contains("Nobody liquidates") && !page.contains("cascade-prices") && !page.contains("class=\"rounds\"")
    );
}

#[test]
fn simulations_of_one_step_or_of_nothing_are_drawn() {
    let book = fixture::book();
    let mut report = fixture::full(&book);
    report.simulation = Some(fixture::fanned(1));
    assert!(risk_html(&report).contains("id=\"fan-wide-title\""));
    let fanned = report.simulation.as_mut().expect("one");
    fanned
        .report
        .fan
        .iter_mut()
        .for_each(|fan| (fan.p50, fan.p95, fan.p99) = (0.0, 0.0, 0.0));
    assert!(!risk_html(&report).contains("NaN"));
    report.simulation.as_mut().expect("one").report.fan.clear();
    assert!(!risk_html(&report).contains("id=\"fan-wide-title\""));
}
