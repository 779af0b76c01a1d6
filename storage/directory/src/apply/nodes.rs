//! The cluster and its members.

use crate::directory::Directory;
use crate::entry::{NodeEntry, Roles};
use crate::error::DirectoryError;
use pyralog_model::{ClusterId, Incarnation, NodeName, NodeNumber, StartToken, StoreId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most tokens that one start presents.
pub const TOKENS_MAX: usize = 16;

/// The most bytes of a node's name or of one address.
const TEXT_BYTES_MAX: usize = 255;
/// The most addresses of one node.
const ADDRESSES_MAX: usize = 16;

impl Directory {
    pub(super) fn check_found(&self, cluster: ClusterId) -> Result<(), DirectoryError> {
        match self.cluster {
            Some(founded) if founded != cluster => Err(DirectoryError::AlreadyFounded(founded)),
            _ => Ok(()),
        }
    }

    pub(super) fn check_is_founded(&self) -> Result<(), DirectoryError> {
        self.cluster.map(|_| ()).ok_or(DirectoryError::NotFounded)
    }

    pub(super) fn check_register(
        &self,
        name: &NodeName,
        store: StoreId,
        advertised: &BTreeMap<String, String>,
    ) -> Result<(), DirectoryError> {
        self.check_is_founded()?;
        let fits = |text: &str| (1..=TEXT_BYTES_MAX).contains(&text.len());
        let addresses_fit = advertised.iter().all(|(door, address)| fits(door) && fits(address));
        if !fits(&name.0) || advertised.len() > ADDRESSES_MAX || !addresses_fit {
            let (bytes_max, addresses_max) = (TEXT_BYTES_MAX, ADDRESSES_MAX);
            return Err(DirectoryError::NodeDescription { bytes_max, addresses_max });
        }
        match self.nodes().find(|node| node.name == *name || node.store == store) {
            Some(node) if node.store != store => Err(DirectoryError::NodeNameTaken(name.clone())),
            Some(node) if node.name != *name => Err(DirectoryError::StoreTaken(node.name.clone())),
            _ => Ok(()),
        }
    }

    pub(super) fn check_start(
        &self,
        name: &NodeName,
        store: StoreId,
        roles: Roles,
        tokens: (&[StartToken], StartToken),
        advertised: &BTreeMap<String, String>,
    ) -> Result<(), DirectoryError> {
        self.check_register(name, store, advertised)?;
        let (presented, next) = tokens;
        if presented.len() > TOKENS_MAX {
            return Err(DirectoryError::Tokens { have: presented.len(), most: TOKENS_MAX });
        }
        if !roles.obelisk && !roles.pyramid {
            return Err(DirectoryError::NoRole);
        }
        let known = self.nodes().find(|node| node.store == store);
        match known.and_then(|node| node.token) {
            Some(last) if last != next && !presented.contains(&last) => {
                Err(DirectoryError::NodeCopied(name.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The node's number; a new one if its store is new.
    pub(super) fn register(
        &mut self,
        name: &NodeName,
        store: StoreId,
        advertised: &BTreeMap<String, String>,
    ) -> NodeNumber {
        let nodes = Arc::make_mut(&mut self.nodes);
        let advertised = advertised.clone();
        if let Some(node) = nodes.values_mut().find(|node| node.store == store) {
            node.advertised = advertised;
            return node.number;
        }
        self.last_node += 1;
        let (number, name) = (NodeNumber(self.last_node), name.clone());
        let (roles, incarnation) = (Roles::BOTH, Incarnation(0));
        let node = NodeEntry { number, name, store, advertised, roles, token: None, incarnation };
        nodes.insert(number, node);
        number
    }

    /// A start that is asked again keeps its incarnation.
    pub(super) fn start(
        &mut self,
        number: NodeNumber,
        roles: Roles,
        next: StartToken,
    ) -> Incarnation {
        let nodes = Arc::make_mut(&mut self.nodes);
        let node = nodes.get_mut(&number).expect("it was registered a moment ago");
        node.roles = roles;
        if node.token != Some(next) {
            self.last_incarnation += 1;
            node.token = Some(next);
            node.incarnation = Incarnation(self.last_incarnation);
        }
        node.incarnation
    }
}
