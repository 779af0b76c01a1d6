//! The Obelisk as its peers ask it: bytes in, bytes out.

use crate::handle::ObeliskHandle;
use pyralog_cluster::{Served, Service};
use pyralog_pharaoh::{Ask, decode_request, encode_outcome};

/// Serves a link; register it under `pyralog_pharaoh::OBELISK_SERVICE`.
#[derive(Debug, Clone)]
pub struct LinkService(ObeliskHandle);

impl LinkService {
    /// Serves by `obelisk`.
    pub fn new(obelisk: ObeliskHandle) -> LinkService {
        LinkService(obelisk)
    }
}

impl Service for LinkService {
    fn call(&self, body: Vec<u8>) -> Served {
        let obelisk = self.0.clone();
        Box::pin(async move {
            let outcome = match decode_request(&body) {
                Ok(request) => obelisk.ask(request).await,
                Err(error) => Err(error),
            };
            encode_outcome(&outcome)
        })
    }
}
