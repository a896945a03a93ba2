use alloy_primitives::{Bytes, hex};
use serde_json::{Value, json};
use std::time::Duration;

/// JSON-RPC over HTTP to a node on this machine, one request at a time.
#[derive(Debug, Clone)]
pub struct Rpc {
    agent: ureq::Agent,
    url: String,
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// The node refused the call.
    #[error("{method}: the node answers {message} (code {code})")]
    Refused {
        /// The method.
        method: String,
        /// The error's code; 3 is a revert.
        code: i64,
        /// The node's words.
        message: String,
        /// A revert's return data, else empty.
        data: Bytes,
    },
    /// No answer, or none that can be understood.
    #[error("{method}: {cause}")]
    NoAnswer {
        /// The method.
        method: String,
        /// What happened.
        cause: String,
    },
}

/// No call of a test's takes longer.
const TIMEOUT: Duration = Duration::from_secs(120);
/// No answer of a test's is larger.
const LARGEST_BODY_BYTES: u64 = 1 << 30;

impl Rpc {
    /// To a node at this URL.
    pub fn new(url: String) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .proxy(None);
        Self {
            agent: config.build().into(),
            url,
        }
    }

    /// Where the node is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// One call's result.
    ///
    /// # Errors
    /// The node refuses or does not answer.
    pub fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let answer = self.post(method, &request(0, method, &params))?;
        result(method, answer)
    }

    /// The results of many calls in one request, in their order.
    ///
    /// # Errors
    /// No answer to the batch as a whole; each call's own error stands in its place.
    pub fn batch(&self, calls: &[(&str, Value)]) -> Result<Vec<Result<Value, RpcError>>, RpcError> {
        let Some((first, _)) = calls.first() else {
            return Ok(Vec::new());
        };
        let requests = calls.iter().enumerate();
        let requests = requests.map(|(id, (method, params))| request(id, method, params));
        let Value::Array(answers) = self.post(first, &requests.collect())? else {
            return Err(no_answer(first, "no list answers a batch"));
        };
        let mut results: Vec<_> = calls
            .iter()
            .map(|(method, _)| Err(no_answer(method, "left out of the batch's answer")))
            .collect();
        for answer in answers {
            let id = answer["id"].as_u64().and_then(|id| usize::try_from(id).ok());
            let place = id.and_then(|id| Some((results.get_mut(id)?, calls.get(id)?)));
            if let Some((place, (method, _))) = place {
                *place = result(method, answer);
            }
        }
        Ok(results)
    }

    fn post(&self, method: &str, body: &Value) -> Result<Value, RpcError> {
        let request = self.agent.post(&self.url).content_type("application/json");
        let answer = request.send(body.to_string()).and_then(|mut response| {
            let body = response.body_mut().with_config().limit(LARGEST_BODY_BYTES);
            body.read_to_vec()
        });
        let body = answer.map_err(|error| no_answer(method, error))?;
        serde_json::from_slice(&body).map_err(|error| no_answer(method, error))
    }
}

fn request(id: usize, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn result(method: &str, mut answer: Value) -> Result<Value, RpcError> {
    if let Some(error) = answer.get("error") {
        let data = error["data"].as_str().and_then(|data| hex::decode(data).ok());
        return Err(RpcError::Refused {
            method: method.to_owned(),
            code: error["code"].as_i64().unwrap_or_default(),
            message: error["message"].as_str().unwrap_or_default().to_owned(),
            data: data.unwrap_or_default().into(),
        });
    }
    let result = answer.get_mut("result").map(Value::take);
    result.ok_or_else(|| no_answer(method, "neither a result nor an error"))
}

pub(crate) fn no_answer(method: &str, cause: impl ToString) -> RpcError {
    RpcError::NoAnswer {
        method: method.to_owned(),
        cause: cause.to_string(),
    }
}
