use super::{
    canned_node::{Canned, HEAD, hex, result},
    *,
};
use serde_json::{Value, json};
use std::io::Read;

/// A client with its own connections, which gives up after two seconds.
struct Client(ureq::Agent);

impl Client {
    fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(2)));
        Self(config.build().into())
    }

    fn response(&self, proxy: &FaultProxy, body: &Value) -> Result<(u16, Option<String>, String), ureq::Error> {
        let request = self.0.post(format!("{}/v2/key", proxy.url()));
        let mut response = request.send(body.to_string())?;
        let after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Ok((response.status().as_u16(), after, response.body_mut().read_to_string()?))
    }

    fn ask(&self, proxy: &FaultProxy, body: &Value) -> Value {
        let (status, _, text) = self.response(proxy, body).expect("an answer");
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    fn result(&self, proxy: &FaultProxy, method: &str, params: Value) -> Value {
        let answer = self.ask(proxy, &call(method, params));
        assert_eq!(answer["id"], 3);
        answer["result"].clone()
    }
}

fn call(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 3, "method": method, "params": params })
}

fn range(from: u64, to: u64) -> Value {
    json!([{ "fromBlock": hex(from), "toBlock": hex(to) }])
}

fn query(from: u64, to: u64, verdict: Verdict) -> LogQuery {
    LogQuery {
        range: Some(BlockRange { from, to }),
        verdict,
    }
}

/// A proxy whose first call of the method gets the fault, and the client to ask it.
fn struck(node: &Canned, method: &str, fault: Fault) -> (FaultProxy, Client) {
    let proxy = node.proxy();
    proxy.set_plan(FaultPlan::script([(method, 1, fault)]));
    (proxy, Client::new())
}

fn assert_injected(proxy: &FaultProxy, method: &str, fault: Fault) {
    let method = method.to_owned();
    assert_eq!(proxy.injected(), [Injected { fault, method, call: 1 }]);
}

#[test]
fn passes_on_and_counts() {
    for chunked in [false, true] {
        let node = Canned::start(chunked);
        let (proxy, client) = (node.proxy(), Client::new());
        for _ in 0..3 {
            assert_eq!(client.result(&proxy, "eth_chainId", json!([])), "0x7a69");
        }
        let logs = client.result(&proxy, "eth_getLogs", range(2, 4));
        assert_eq!(logs, result("eth_getLogs", &range(2, 4)), "chunked: {chunked}");
        let batch = json!([
            call("eth_blockNumber", json!([])),
            call("eth_getLogs", range(1, 1)),
            call("eth_blockNumber", json!([]))
        ]);
        assert_eq!(client.ask(&proxy, &batch).as_array().map(Vec::len), Some(3));
        let counts = proxy.counts();
        assert_eq!(counts.http_requests, 5);
        let calls: Vec<_> = counts
            .calls
            .iter()
            .map(|(method, count)| (method.as_str(), *count))
            .collect();
        assert_eq!(calls, [("eth_blockNumber", 2), ("eth_chainId", 3), ("eth_getLogs", 2)]);
        assert_eq!(
            counts.log_queries,
            [query(2, 4, Verdict::Answered), query(1, 1, Verdict::Answered)]
        );
        assert_eq!(proxy.injected(), []);
        proxy.reset_counts();
        assert_eq!(proxy.counts(), Counts::default());
    }
}

#[test]
fn many_clients_at_once() {
    let node = Canned::start(false);
    let proxy = node.proxy();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let client = Client::new();
                for block in 0..50 {
                    let found = client.result(&proxy, "eth_getBlockByNumber", json!([hex(block), false]));
                    assert_eq!(found["number"], hex(block));
                }
            });
        }
    });
    assert_eq!(proxy.counts().calls_of("eth_getBlockByNumber"), 400);
}

#[test]
fn a_chunked_request_is_one_too() {
    let node = Canned::start(false);
    let proxy = node.proxy();
    let mut stream = TcpStream::connect(proxy.address).expect("a connection");
    let body = call("eth_chainId", json!([])).to_string();
    let (a, b) = body.split_at(9);
    write!(
        stream,
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n{:x}\r\n{a}\r\n{:X};x=y\r\n{b}\r\n0\r\n\r\n",
        a.len(),
        b.len()
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(
        answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("\"result\":\"0x7a69\"}"), "{answer}");
}

#[test]
fn refuses_as_providers_do() {
    let node = Canned::start(false);
    let (proxy, client) = (node.proxy(), Client::new());
    let limits = |results| Limits {
        results: Some((3, results)),
        blocks: Some((5, BlocksRefusal::ExceedMaximum)),
        answer_bytes: None,
    };
    proxy.set_limits(limits(ResultsRefusal::Suggested));
    let said = |from, to| client.ask(&proxy, &call("eth_getLogs", range(from, to)));
    assert_eq!(said(1, 3)["result"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        said(1, 4)["error"],
        json!({ "code": -32005, "message": "query returned more than 3 results. Try with this block range [0x1, 0x3]." })
    );
    assert_eq!(
        said(1, 6)["error"],
        json!({ "code": -32000, "message": "exceed maximum block range: 5" })
    );
    let batch = json!([call("eth_getLogs", range(2, 5)), { "jsonrpc": "2.0", "id": 4, "method": "eth_chainId" }]);
    let answers = client.ask(&proxy, &batch);
    let refused = answers
        .as_array()
        .and_then(|answers| answers.iter().find(|answer| answer["id"] == 3));
    assert_eq!(
        refused.map(|refused| refused["error"]["code"].clone()),
        Some(json!(-32005))
    );
    assert_eq!(refused.and_then(|refused| refused.get("result")), None);
    let verdicts = [
        query(1, 3, Verdict::Answered),
        query(1, 4, Verdict::Refused),
        query(1, 6, Verdict::Refused),
        query(2, 5, Verdict::Refused),
    ];
    assert_eq!(proxy.counts().log_queries, verdicts);

    proxy.set_limits(Limits {
        answer_bytes: Some(400),
        ..Limits::NONE
    });
    let (status, _, _) = client
        .response(&proxy, &call("eth_getLogs", range(1, 4)))
        .expect("an answer");
    assert_eq!(status, 413);
    assert_eq!(said(1, 2)["result"].as_array().map(Vec::len), Some(2));
    assert_eq!(said(7, 7)["result"].as_array().map(Vec::len), Some(2));
}

#[test]
fn lies_are_told_and_recorded() {
    let node = Canned::start(true);
    for (method, params) in [
        ("eth_getLogs", range(1, HEAD)),
        ("eth_getBlockReceipts", json!([hex(2)])),
        ("eth_getBlockByNumber", json!([hex(2), false])),
        ("eth_chainId", json!([])),
    ] {
        let truth = result(method, &params);
        for fault in Fault::ALL {
            if !fault.applies_to(method) || fault.applies_to("eth_call") || matches!(fault, Fault::StaleHead { .. }) {
                continue;
            }
            let (proxy, client) = struck(&node, method, fault);
            assert_ne!(client.result(&proxy, method, params.clone()), truth, "{fault}");
            assert_injected(&proxy, method, fault);
            assert_eq!(
                client.result(&proxy, method, params.clone()),
                truth,
                "{fault}, once only"
            );
        }
    }
}

#[test]
fn a_lie_in_a_batch_strikes_its_call_alone() {
    let node = Canned::start(false);
    let (proxy, client) = struck(&node, "eth_getLogs", Fault::EmptyLogs);
    let other = json!({ "jsonrpc": "2.0", "id": "b", "method": "eth_getLogs", "params": range(2, 3) });
    let answers = client.ask(&proxy, &json!([call("eth_getLogs", range(1, 2)), other]));
    let logs = |id: Value| {
        let answers = answers.as_array().expect("a batch");
        let own = answers.iter().find(|answer| answer["id"] == id).expect("answered");
        own["result"].as_array().map(Vec::len)
    };
    assert_eq!((logs(json!(3)), logs(json!("b"))), (Some(0), Some(2)));
    let verdicts = [query(1, 2, Verdict::Faulted), query(2, 3, Verdict::Answered)];
    assert_eq!(proxy.counts().log_queries, verdicts);
}

#[test]
fn a_fault_that_changes_nothing_is_none() {
    let node = Canned::start(false);
    let (proxy, client) = struck(&node, "eth_getLogs", Fault::MissingLog);
    client.result(&proxy, "eth_getLogs", range(1, 2));
    assert_eq!(proxy.injected(), []);
    assert_eq!(proxy.counts().log_queries, [query(1, 2, Verdict::Answered)]);
}

#[test]
fn a_stale_node_knows_no_newer_block() {
    let node = Canned::start(false);
    let fault = Fault::StaleHead { behind: 2 };
    let stale = |method, params| {
        let (proxy, client) = struck(&node, method, fault);
        let told = client.result(&proxy, method, params);
        (told, proxy.injected().len(), proxy.counts().calls.len())
    };
    assert_eq!(stale("eth_blockNumber", json!([])), (json!("0x5"), 1, 1));
    assert_eq!(
        stale("eth_getBlockByNumber", json!(["latest", false])).0["number"],
        "0x5"
    );
    assert_eq!(
        stale("eth_getBlockByNumber", json!(["0x6", false])),
        (Value::Null, 1, 1)
    );
    assert_eq!(stale("eth_getBlockByNumber", json!(["0x5", false])).1, 0);
    assert_eq!(stale("eth_getBlockReceipts", json!(["0x7"])), (Value::Null, 1, 1));
    let logs = result("eth_getLogs", &range(4, 5));
    assert_eq!(stale("eth_getLogs", range(4, 7)), (logs, 1, 1));
}

#[test]
fn errors_in_the_body() {
    let node = Canned::start(false);
    for (fault, code) in [(Fault::RateLimitError, -32005), (Fault::RateLimitInBody, 429)] {
        let (proxy, client) = struck(&node, "eth_chainId", fault);
        let answer = client.ask(&proxy, &call("eth_chainId", json!([])));
        assert_eq!((&answer["error"]["code"], answer.get("result")), (&json!(code), None));
        assert_injected(&proxy, "eth_chainId", fault);
    }
    let (proxy, client) = struck(&node, "eth_chainId", Fault::WrongId);
    let answer = client.ask(&proxy, &call("eth_chainId", json!([])));
    assert_ne!(answer["id"], 3);
    assert_eq!(answer["result"], "0x7a69");
}

#[test]
fn refusals_by_status() {
    let node = Canned::start(false);
    let after = |retry_after| Fault::TooManyRequests { retry_after };
    for (fault, status) in [
        (after(None), 429),
        (after(Some(RetryAfter::Seconds(4))), 429),
        (after(Some(RetryAfter::Date(4))), 429),
        (Fault::Unavailable, 503),
    ] {
        let (proxy, client) = struck(&node, "eth_chainId", fault);
        let (got, header, _) = client
            .response(&proxy, &call("eth_chainId", json!([])))
            .expect("an answer");
        assert_eq!(got, status, "{fault}");
        match fault {
            Fault::TooManyRequests {
                retry_after: Some(RetryAfter::Seconds(_)),
            } => assert_eq!(header.as_deref(), Some("4")),
            Fault::TooManyRequests {
                retry_after: Some(RetryAfter::Date(_)),
            } => {
                assert!(
                    header
                        .as_deref()
                        .is_some_and(|date| date.ends_with(" GMT") && date.len() == 29),
                    "{header:?}"
                );
            }
            _ => assert_eq!(header, None),
        }
        assert_injected(&proxy, "eth_chainId", fault);
        assert_eq!(client.result(&proxy, "eth_chainId", json!([])), "0x7a69");
    }
}

/// What comes over the wire, and whether the connection ended within a second.
fn on_the_wire(proxy: &FaultProxy, method: &str) -> (String, bool) {
    let mut stream = TcpStream::connect(proxy.address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_millis(500))).expect("set");
    let body = call(method, json!([])).to_string();
    write!(
        stream,
        "POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("sent");
    let mut bytes = Vec::new();
    let ended = stream.take(1 << 20).read_to_end(&mut bytes).is_ok();
    (String::from_utf8(bytes).expect("text"), ended)
}

#[test]
fn connections_that_break() {
    let node = Canned::start(false);
    let honest = json!({ "jsonrpc": "2.0", "id": 3, "result": "0x7a69" }).to_string();
    let wire = |fault| {
        let (proxy, _) = struck(&node, "eth_chainId", fault);
        let wire = on_the_wire(&proxy, "eth_chainId");
        assert_injected(&proxy, "eth_chainId", fault);
        wire
    };
    assert_eq!(wire(Fault::Closed), (String::new(), true));
    assert_eq!(
        wire(Fault::Hang {
            most: Duration::from_secs(60)
        }),
        (String::new(), false)
    );
    let most = Duration::from_millis(100);
    assert_eq!(wire(Fault::Hang { most }), (String::new(), true));
    let body = |text: &str| {
        text.split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned())
            .unwrap_or_default()
    };
    let promises = |text: &str, length: usize| text.contains(&format!("content-length: {length}\r\n"));

    let (text, ended) = wire(Fault::Reset);
    assert!(
        ended && promises(&text, honest.len()) && honest.starts_with(&body(&text)) && body(&text) < honest,
        "{text}"
    );
    let (text, ended) = wire(Fault::TruncatedJson);
    assert!(
        !ended && promises(&text, honest.len() / 2) && body(&text) == honest[..honest.len() / 2],
        "{text}"
    );
    let (text, ended) = wire(Fault::HtmlPage);
    assert!(
        !ended && text.starts_with("HTTP/1.1 200 OK\r\n") && body(&text).starts_with("<!DOCTYPE html>"),
        "{text}"
    );
    let (text, ended) = wire(Fault::SlowDrip {
        pause: Duration::from_millis(1),
    });
    assert!(!ended && body(&text) == honest, "{text}");
    // A megabyte of it is enough.
    let (text, _) = wire(Fault::OversizedBody {
        bytes: Fault::MOST_BYTES,
    });
    assert!(text.len() == 1 << 20 && body(&text).starts_with("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x000"));
    let (text, ended) = wire(Fault::OversizedBody { bytes: 100_000 });
    assert!(ended && body(&text).len() == 100_000);
}

#[test]
fn a_client_that_gives_up_is_let_go() {
    let node = Canned::start(false);
    let (proxy, client) = struck(
        &node,
        "eth_chainId",
        Fault::Hang {
            most: Duration::from_secs(60),
        },
    );
    assert!(client.response(&proxy, &call("eth_chainId", json!([]))).is_err());
    assert_eq!(client.result(&proxy, "eth_chainId", json!([])), "0x7a69");
}

#[test]
fn the_same_seed_strikes_the_same_calls() {
    let node = Canned::start(false);
    let run = |seed| {
        let (proxy, client) = (node.proxy(), Client::new());
        let kinds = [
            Fault::EmptyLogs,
            Fault::ChangedLogData,
            Fault::WrongLogOrder,
            Fault::Unavailable,
        ];
        proxy.set_plan(FaultPlan::random(seed, 0.3, &kinds));
        let answers: Vec<_> = (0..40)
            .map(|_| {
                client
                    .response(&proxy, &call("eth_getLogs", range(1, HEAD)))
                    .expect("an answer")
            })
            .collect();
        (answers, proxy.injected())
    };
    let (first, other) = (run(1), run(2));
    assert_eq!(first, run(1));
    assert_ne!(first.1, other.1);
    assert!((4..25).contains(&first.1.len()), "{}", first.1.len());
}

#[test]
fn dropping_it_ends_every_wait() {
    let node = Canned::start(false);
    let (proxy, _) = struck(
        &node,
        "eth_chainId",
        Fault::Hang {
            most: Duration::from_secs(600),
        },
    );
    let address = proxy.address;
    let idle = TcpStream::connect(address).expect("a connection");
    let mut hanging = TcpStream::connect(address).expect("a connection");
    let body = call("eth_chainId", json!([])).to_string();
    write!(
        hanging,
        "POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("sent");
    while proxy.injected().is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    let shared = Arc::downgrade(&proxy.shared);
    drop(proxy);
    assert_eq!(shared.strong_count(), 0, "no thread is left to hold it");
    assert!(TcpStream::connect(address).is_err());
    for mut stream in [idle, hanging] {
        assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
    }
}

#[test]
fn other_urls_are_refused() {
    for url in ["https://127.0.0.1:1", "127.0.0.1:1", "http://localhost"] {
        assert!(FaultProxy::start(url).is_err(), "{url}");
    }
}
