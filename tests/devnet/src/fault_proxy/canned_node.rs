//! The node behind the proxy in its tests, which answers from a table.

use super::*;
use serde_json::{Value, json};
use std::io::{BufRead, Read};

/// A node that knows seven blocks, one log in each and a second one in the last, in a thread of its own.
pub(super) struct Canned {
    pub(super) address: SocketAddr,
    sockets: Arc<Sockets>,
    accepting: Option<JoinHandle<()>>,
}

/// Its newest block.
pub(super) const HEAD: u64 = 7;

/// A number as JSON-RPC writes it.
pub(super) fn hex(number: u64) -> String {
    format!("{number:#x}")
}

fn log(block: u64, index: u64) -> Value {
    json!({ "blockNumber": hex(block), "blockHash": format!("{block:#066x}"), "logIndex": hex(index), "data": "0x0102" })
}

/// What it answers to a call.
pub(super) fn result(method: &str, params: &Value) -> Value {
    let number = |value: &Value| counts::hex_number(value).unwrap_or(HEAD);
    match method {
        "eth_chainId" => json!("0x7a69"),
        "eth_blockNumber" => json!(hex(HEAD)),
        "eth_getBlockByNumber" => json!({
            "number": hex(number(&params[0])), "gasUsed": "0x5208", "timestamp": "0x65", "logsBloom": "0x00", "parentHash": "0xab",
        }),
        "eth_getBlockReceipts" => json!([{ "logs": [log(number(&params[0]), 0)] }, { "logs": [] }]),
        "eth_getLogs" => {
            let (from, to) = (number(&params[0]["fromBlock"]), number(&params[0]["toBlock"]));
            let mut logs: Vec<Value> = (from..=to.min(HEAD)).map(|block| log(block, 0)).collect();
            logs.extend((from..=to).contains(&HEAD).then(|| log(HEAD, 1)));
            json!(logs)
        }
        _ => Value::Null,
    }
}

impl Canned {
    /// Starts it; its answers come in one piece or in two chunks.
    pub(super) fn start(chunked: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("bound");
        let sockets: Arc<Sockets> = Arc::default();
        let accepting = thread::spawn({
            let sockets = Arc::clone(&sockets);
            move || {
                let mut connections = Vec::new();
                for stream in listener.incoming() {
                    if sockets.stopped() {
                        break;
                    }
                    let (stream, sockets) = (stream.expect("a connection"), Arc::clone(&sockets));
                    connections.push(thread::spawn(move || {
                        let _registered = sockets.register(&stream);
                        while Self::serve(&stream, chunked).is_some() {}
                    }));
                }
                connections
                    .into_iter()
                    .for_each(|connection| connection.join().unwrap());
            }
        });
        Self {
            address,
            sockets,
            accepting: Some(accepting),
        }
    }

    fn serve(mut stream: &TcpStream, chunked: bool) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a length");
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let request: Value = serde_json::from_slice(&body).expect("JSON");
        let answer = |call: &Value| {
            let method = call["method"].as_str().expect("a method");
            json!({ "jsonrpc": "2.0", "id": call["id"], "result": result(method, &call["params"]) })
        };
        let answer = match &request {
            // Out of order, as nodes may.
            Value::Array(calls) => calls.iter().rev().map(answer).collect(),
            call => answer(call),
        };
        let body = answer.to_string();
        let answer = if chunked {
            let (a, b) = body.split_at(body.len() / 2);
            let chunks = format!("{:x}\r\n{a}\r\n{:x}\r\n{b}\r\n0\r\n\r\n", a.len(), b.len());
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}")
        } else {
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        };
        stream.write_all(answer.as_bytes()).ok()
    }

    /// A proxy before it.
    pub(super) fn proxy(&self) -> FaultProxy {
        FaultProxy::start(&format!("http://{}", self.address)).expect("a proxy")
    }
}

impl Drop for Canned {
    fn drop(&mut self) {
        self.sockets.stop();
        let _ = TcpStream::connect(self.address);
        self.accepting.take().map(JoinHandle::join);
    }
}
