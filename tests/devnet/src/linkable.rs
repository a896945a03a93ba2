use alloy_primitives::{Address, Bytes, hex};
use serde_json::Value;
use std::collections::BTreeMap;

/// Creation code with the places where its libraries' addresses go.
#[derive(Debug, Clone)]
pub(crate) struct Linkable {
    code: Vec<u8>,
    /// By library, the offsets of its address.
    places: BTreeMap<String, Vec<usize>>,
}

impl Linkable {
    /// From an artifact: `bytecode`, of which the compiler makes an object, and `linkReferences`, beside it or within.
    pub(crate) fn from_json(artifact: &Value) -> Option<Self> {
        let bytecode = &artifact["bytecode"];
        let (text, references) = match bytecode.as_str() {
            Some(text) => (text, &artifact["linkReferences"]),
            None => (bytecode["object"].as_str()?, &bytecode["linkReferences"]),
        };
        let mut places = BTreeMap::<String, Vec<usize>>::new();
        for libraries in references.as_object().into_iter().flat_map(|files| files.values()) {
            for (library, references) in libraries.as_object()? {
                let starts = references.as_array()?.iter();
                let starts = starts.map(|place| place["start"].as_u64().and_then(|start| usize::try_from(start).ok()));
                places.insert(library.clone(), starts.collect::<Option<_>>()?);
            }
        }
        let mut text = text.trim_start_matches("0x").as_bytes().to_vec();
        for start in places.values().flatten() {
            // A placeholder is no hexadecimal number.
            text.get_mut(2 * start..2 * (start + 20))?.fill(b'0');
        }
        Some(Self {
            code: hex::decode(text).ok()?,
            places,
        })
    }

    /// The libraries that it needs.
    pub(crate) fn libraries(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// The code with these libraries' addresses in it; `None` where one is missing.
    pub(crate) fn linked(&self, libraries: &BTreeMap<String, Address>) -> Option<Bytes> {
        let mut code = self.code.clone();
        for (library, starts) in &self.places {
            let address = libraries.get(library)?;
            for &start in starts {
                code.get_mut(start..start + 20)?.copy_from_slice(address.as_slice());
            }
        }
        Some(code.into())
    }
}
