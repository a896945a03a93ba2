use crate::{
    Chain,
    artifacts::ArtifactError,
    linkable::Linkable,
    uniswap_v2::{Failure, decode},
};
use alloy_primitives::Address;
use alloy_sol_types::SolCall;
use std::collections::BTreeMap;

/// Why there is no market.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// No contracts.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A contract that is not there, or does not deploy.
    #[error("{0} does not deploy")]
    NotDeployed(String),
    /// A call that deployment needs.
    #[error("{call}: {failure:?}")]
    Refused {
        /// The call's signature.
        call: &'static str,
        /// How it failed.
        failure: Failure,
    },
}

/// Where a contract's creation code comes from, by the contract's name.
pub(crate) type Artifacts = Box<dyn Fn(&str) -> Result<Linkable, DeployError>>;

/// Deploys contracts by their names, and before them the libraries that they need.
pub(crate) struct Deployer<C> {
    pub(crate) chain: C,
    artifacts: Artifacts,
    libraries: BTreeMap<String, Address>,
}

impl<C: Chain> Deployer<C> {
    pub(crate) fn new(chain: C, artifacts: Artifacts) -> Self {
        Self {
            chain,
            artifacts,
            libraries: BTreeMap::new(),
        }
    }

    /// Deploys a contract with its constructor's encoded arguments.
    pub(crate) fn deploy(&mut self, name: &str, arguments: &[u8]) -> Result<Address, DeployError> {
        let code = (self.artifacts)(name)?;
        for library in code.libraries() {
            if !self.libraries.contains_key(library) {
                let address = self.deploy(library, &[])?;
                self.libraries.insert(library.to_owned(), address);
            }
        }
        let not_deployed = || DeployError::NotDeployed(name.to_owned());
        let code = code.linked(&self.libraries).ok_or_else(not_deployed)?;
        let code = [&code[..], arguments].concat().into();
        self.chain.deploy(code).ok_or_else(not_deployed)
    }

    /// Calls a contract.
    pub(crate) fn call<F: SolCall>(&mut self, to: Address, call: &F) -> Result<F::Return, DeployError> {
        let answer = self.chain.send(to, call.abi_encode().into());
        decode::<F>(answer).map_err(|failure| DeployError::Refused {
            call: F::SIGNATURE,
            failure,
        })
    }
}
