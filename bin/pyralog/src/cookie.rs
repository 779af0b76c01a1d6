//! Which cookie a node uses.

use crate::config::NodeSettings;
use crate::failure::Failure;
use pyralog_cluster::Cookie;
use pyralog_env::Entropy;

/// The cookie of the named file; else the user's own, made when it is not there.
/// A node that can use neither but needs nobody else has one that nobody knows.
pub fn node_cookie(settings: &NodeSettings, entropy: &dyn Entropy) -> Result<Cookie, Failure> {
    if let Some(path) = &settings.cookie_file {
        return Cookie::read_or_create(path, entropy).map_err(Failure::failed);
    }
    let roles = settings.roles();
    let alone = roles.obelisk && roles.pyramid;
    let own = Cookie::default_path().map(|path| Cookie::read_or_create(&path, entropy));
    match own {
        Some(Ok(cookie)) => Ok(cookie),
        Some(Err(error)) if alone => {
            tracing::warn!("no other node can link to this one: {error}");
            Ok(random(entropy))
        }
        None if alone => Ok(random(entropy)),
        Some(Err(error)) => Err(Failure::failed(error)),
        None => {
            Err(Failure::failed("there is no place for the cluster's secret: no home directory")
                .help(
                    "name a file with --cookie-file; every node of the cluster needs the same one",
                ))
        }
    }
}

fn random(entropy: &dyn Entropy) -> Cookie {
    let halves = [entropy.next_u128(), entropy.next_u128()];
    let mut secret = [0; 32];
    secret[..16].copy_from_slice(&halves[0].to_le_bytes());
    secret[16..].copy_from_slice(&halves[1].to_le_bytes());
    Cookie::from_bytes(secret)
}
