//! One request of a client: counted, passed on, refused or struck.

use super::{
    Shared,
    counts::{BlockRange, LogQuery, Verdict, hex_number},
    fault::{Drawn, Fault},
    http::{Answer, Upstream, response},
    lies,
    limits::{Limits, error},
    outage,
};
use serde_json::{Value, json};
use std::{io, io::Write, net::TcpStream};

/// One JSON-RPC call of a request, and what befalls it.
struct Call<'a> {
    request: &'a Value,
    method: &'a str,
    drawn: Option<Drawn>,
}

impl Call<'_> {
    fn is_get_logs(&self) -> bool {
        self.method == "eth_getLogs"
    }

    fn range(&self) -> Option<BlockRange> {
        BlockRange::of_filter(&self.request["params"][0]).filter(|_| self.is_get_logs())
    }
}

/// What is left to do with a call's answer.
enum Looked {
    Done(Verdict),
    /// HTTP 413, whatever else the answer holds.
    TooLarge,
}

/// Both ends of a connection.
pub(crate) struct Exchange<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) client: &'a mut TcpStream,
    pub(crate) upstream: &'a mut Upstream,
}

impl Exchange<'_> {
    /// Answers one request. Returns whether the connection ends with it.
    pub(crate) fn answer(&mut self, body: &[u8]) -> io::Result<bool> {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let (mut calls, limits) = self.calls(&request);
        if let Some(drawn) = calls
            .iter()
            .find_map(|call| call.drawn.filter(|drawn| drawn.fault.is_of_the_connection()))
        {
            return self.break_down(body, &calls, drawn);
        }
        if let [call] = calls.as_mut_slice()
            && let Some(refusal) = call.range().and_then(|range| limits.refuses_range(range))
        {
            self.note(call, Verdict::Refused);
            let refused = json!({ "jsonrpc": "2.0", "id": call.request["id"], "error": refusal });
            return self.respond(refused.to_string().as_bytes());
        }
        let asks_logs = calls.iter().any(Call::is_get_logs);
        let limited = asks_logs && (limits.weighs_answers() || (limits.blocks.is_some() && calls.len() > 1));
        let struck = calls.iter().any(|call| call.drawn.is_some());
        if !limited && !struck {
            calls.iter().for_each(|call| self.note(call, Verdict::Answered));
            return self.upstream.relay(body, self.client);
        }
        let answer = self.upstream.ask(body)?;
        let within = match calls.as_slice() {
            [call] => !struck && is_within(&limits, call, &answer.body),
            _ => false,
        };
        if answer.status != 200 || within {
            calls.iter().for_each(|call| self.note(call, Verdict::Answered));
            return self.pass_on(&answer);
        }
        self.look(&calls, &limits, &answer)
    }

    /// Counts the calls and draws their faults.
    fn calls<'r>(&self, request: &'r Value) -> (Vec<Call<'r>>, Limits) {
        let requests = match request {
            Value::Array(requests) => requests.as_slice(),
            Value::Null => &[],
            one => std::slice::from_ref(one),
        };
        let mut state = self.shared.state();
        let state = &mut *state;
        state.counts.http_requests += 1;
        let calls = requests.iter().map(|request| {
            let method = request["method"].as_str().unwrap_or_default();
            match state.counts.calls.get_mut(method) {
                Some(count) => *count += 1,
                None => {
                    state.counts.calls.insert(method.to_owned(), 1);
                }
            }
            Call {
                request,
                method,
                drawn: state.plan.draw(method),
            }
        });
        (calls.collect(), state.limits)
    }

    /// Written down before the answer goes out, so that whoever has the answer finds it counted.
    fn note(&self, call: &Call<'_>, verdict: Verdict) {
        if call.is_get_logs() {
            let range = call.range();
            self.shared.state().counts.log_queries.push(LogQuery { range, verdict });
        }
    }

    fn note_fault(&self, call: &Call<'_>, drawn: &Drawn) {
        self.shared.record(drawn, call.method);
    }

    /// A fault of the whole HTTP answer.
    fn break_down(&mut self, body: &[u8], calls: &[Call<'_>], drawn: Drawn) -> io::Result<bool> {
        let struck = calls
            .iter()
            .find(|call| call.drawn.is_some_and(|other| other.fault == drawn.fault));
        let answer = if outage::needs_answer(drawn.fault) {
            self.upstream.ask(body)?.body
        } else {
            Vec::new()
        };
        if let Some(call) = struck {
            self.note_fault(call, &drawn);
        }
        calls.iter().for_each(|call| self.note(call, Verdict::Faulted));
        outage::carry_out(drawn.fault, self.client, &answer, &self.shared.sockets)
    }

    /// Goes through a whole answer, call by call.
    fn look(&mut self, calls: &[Call<'_>], limits: &Limits, answer: &Answer) -> io::Result<bool> {
        let Ok(mut parsed) = serde_json::from_slice::<Value>(&answer.body) else {
            return self.pass_on(answer);
        };
        let mut too_large = false;
        for call in calls {
            let id = &call.request["id"];
            let own = match &mut parsed {
                Value::Array(all) => all.iter_mut().find(|one| one["id"] == *id),
                one => Some(one),
            };
            let Some(own) = own else { continue };
            let verdict = match self.look_at(call, limits, own, answer.body.len())? {
                Looked::Done(verdict) => verdict,
                Looked::TooLarge => {
                    too_large = true;
                    Verdict::Refused
                }
            };
            self.note(call, verdict);
        }
        if too_large {
            let refused = response("413 Payload Too Large", "text/plain", "", b"response is too large");
            self.client.write_all(&refused)?;
            return Ok(false);
        }
        self.respond(parsed.to_string().as_bytes())
    }

    fn look_at(&mut self, call: &Call<'_>, limits: &Limits, own: &mut Value, bytes: usize) -> io::Result<Looked> {
        if let Some(range) = call.range() {
            let logs = own["result"].as_array().map(Vec::as_slice).unwrap_or_default();
            let refusal = limits.refuses_range(range).or_else(|| limits.refusal(range, logs));
            if let Some(refusal) = refusal {
                replace(own, refusal);
                return Ok(Looked::Done(Verdict::Refused));
            }
            if limits.refuses_bytes(range, bytes) {
                return Ok(Looked::TooLarge);
            }
        }
        let Some(drawn) = &call.drawn else {
            return Ok(Looked::Done(Verdict::Answered));
        };
        let told = match drawn.fault {
            Fault::RateLimitError => {
                replace(own, error(-32005, "rate limit exceeded".to_owned()));
                true
            }
            Fault::RateLimitInBody => {
                let said = "Too many requests: your app has exceeded its compute units per second capacity";
                replace(own, error(429, said.to_owned()));
                true
            }
            Fault::WrongId => {
                own["id"] = json!(1_000_000_007);
                true
            }
            Fault::StaleHead { behind } => self.stale(call, behind, own)?,
            _ => own.get_mut("result").is_some_and(|result| lies::tell(drawn, result)),
        };
        if !told {
            return Ok(Looked::Done(Verdict::Answered));
        }
        self.note_fault(call, drawn);
        Ok(Looked::Done(Verdict::Faulted))
    }

    /// What a node that lags behind would have answered.
    fn stale(&mut self, call: &Call<'_>, behind: u64, own: &mut Value) -> io::Result<bool> {
        let head = self.ask("eth_blockNumber", json!([]))?;
        let Some(head) = hex_number(&head).map(|head| head.saturating_sub(behind)) else {
            return Ok(false);
        };
        let result = own["result"].take();
        let asked = call.request["params"][0].clone();
        let is_newer = |number: &Value| hex_number(number).is_some_and(|number| number > head);
        let told = match call.method {
            "eth_blockNumber" => json!(format!("{head:#x}")),
            "eth_getBlockByNumber" if asked == "latest" => {
                let full = call.request["params"][1].clone();
                self.ask(call.method, json!([format!("{head:#x}"), full]))?
            }
            "eth_getBlockByNumber" | "eth_getBlockReceipts" if is_newer(&asked) => Value::Null,
            "eth_getLogs" => {
                let mut logs = result.clone();
                if let Some(logs) = logs.as_array_mut() {
                    logs.retain(|log| !is_newer(&log["blockNumber"]));
                }
                logs
            }
            _ => result.clone(),
        };
        let differs = told != result;
        own["result"] = told;
        Ok(differs)
    }

    /// A call of the proxy's own; it is not counted.
    fn ask(&mut self, method: &str, params: Value) -> io::Result<Value> {
        let request = json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": params });
        let answer = self.upstream.ask(request.to_string().as_bytes())?;
        let mut answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok(answer["result"].take())
    }

    fn respond(&mut self, body: &[u8]) -> io::Result<bool> {
        self.client
            .write_all(&response("200 OK", "application/json", "", body))?;
        Ok(false)
    }

    fn pass_on(&mut self, answer: &Answer) -> io::Result<bool> {
        let bytes = response(&answer.status.to_string(), "application/json", "", &answer.body);
        self.client.write_all(&bytes)?;
        Ok(false)
    }
}

/// Whether a single answer keeps within the limits, told without parsing it: each log names its index once.
fn is_within(limits: &Limits, call: &Call<'_>, body: &[u8]) -> bool {
    let Some(range) = call.range() else { return true };
    let name = b"\"logIndex\"";
    let logs = || body.windows(name.len()).filter(|window| window == name).count();
    !limits.refuses_bytes(range, body.len()) && (limits.results.is_none() || !limits.refuses_results(range, logs()))
}

/// Puts an error where the result was.
fn replace(response: &mut Value, error: Value) {
    if let Some(response) = response.as_object_mut() {
        response.remove("result");
        response.insert("error".to_owned(), error);
    }
}
