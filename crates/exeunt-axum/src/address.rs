//! From which device and address somebody asks.
//!
//! Owns the judgement of `X-Forwarded-For`: only what a trusted proxy has written there is believed. It finds no peer by itself; a server or an
//! app says who that is.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use exeunt::Device;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName};

use crate::errors::AuthError;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of whoever asks: limits and session lists go by it. [`AuthLayer::with_peer`](crate::AuthLayer::with_peer) finds it; an app that
/// knows it otherwise puts this into the request's extensions, outside of the layer. Believe a proxy's word for it only if you run the proxy.
///
/// ```
/// use axum::extract::Request;
/// use axum::middleware::map_request;
/// use exeunt_axum::ClientAddress;
///
/// /// Behind a content network that says it in a field of its own, and overwrites what anybody else has put there.
/// async fn know_the_address(mut request: Request) -> Request {
///     let said = request.headers().get("x-our-client").and_then(|value| value.to_str().ok()?.parse().ok());
///     if let Some(address) = said {
///         request.extensions_mut().insert(ClientAddress(address));
///     }
///     request
/// }
/// let app: axum::Router = axum::Router::new().layer(map_request(know_the_address));
/// # drop(app);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The peer, or, where the peer is a proxy that is trusted, the last address that a trusted proxy has added.
    #[must_use]
    pub fn of(peer: IpAddr, headers: &HeaderMap, trusts: impl Fn(IpAddr) -> bool) -> Self {
        let mut address = peer.to_canonical();
        if !trusts(address) {
            return Self(address);
        }
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        // Part by part: what a client wrote, which may be no text, does not take along what our proxy has put behind it.
        for part in lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')) {
            let Some(next) = str::from_utf8(part).ok().and_then(|part| forwarded(part.trim())) else { break };
            address = next.to_canonical();
            if !trusts(address) {
                break;
            }
        }
        Self(address)
    }
}

/// What is asking, as far as it says so, and from where.
pub(crate) fn device_of(parts: &Parts, peer: Option<&Peer>) -> Result<Device, AuthError> {
    let agent = parts.headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    let address = address_of(parts, peer)?.map(|address| address.0.to_canonical().to_string());
    Ok(Device::new(agent.as_deref().unwrap_or_default(), address.as_deref().unwrap_or_default()))
}

/// The address that the app was told otherwise, or finds by its connections; `None` where it wants neither.
fn address_of(parts: &Parts, peer: Option<&Peer>) -> Result<Option<ClientAddress>, AuthError> {
    if let Some(told) = parts.extensions.get::<ClientAddress>() {
        return Ok(Some(*told));
    }
    peer.map(|peer| peer.address(&parts.extensions, &parts.headers).ok_or(AuthError::NoAddress)).transpose()
}

type Found = dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync;

/// How an app finds the peer of a request, and which peers are its proxies.
#[derive(Clone)]
pub(crate) struct Peer {
    of: Arc<Found>,
    proxies: Arc<[IpAddr]>,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Peer")
    }
}

impl Peer {
    pub(crate) fn new<C: Send + Sync + 'static>(
        proxies: &[IpAddr],
        of: impl Fn(&C) -> IpAddr + Send + Sync + 'static,
    ) -> Self {
        let proxies = proxies.iter().map(IpAddr::to_canonical).collect();
        Self { of: Arc::new(move |known| known.get::<C>().map(&of)), proxies }
    }

    /// `None`: nothing is known of the connection.
    fn address(&self, known: &Extensions, headers: &HeaderMap) -> Option<ClientAddress> {
        (self.of)(known).map(|peer| ClientAddress::of(peer, headers, |address| self.proxies.contains(&address)))
    }
}

/// An address as proxies write it: bare, or with its port, or in the brackets and quotes of RFC 7239 section 6, as those of Azure and IIS do
/// here, too.
fn forwarded(text: &str) -> Option<IpAddr> {
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn an_address_may_come_with_its_port_in_brackets_and_in_quotes() {
        let v6 = "2001:db8::1";
        for (text, address) in [
            ("192.0.2.9", "192.0.2.9"),
            ("192.0.2.9:1234", "192.0.2.9"),
            ("\"192.0.2.9:1234\"", "192.0.2.9"),
            (v6, v6),
            ("[2001:db8::1]", v6),
            ("[2001:db8::1]:99", v6),
            ("\"[2001:db8::1]:99\"", v6),
            ("\"[2001:db8::1]\"", v6),
        ] {
            assert_eq!(forwarded(text), address.parse().ok(), "{text}");
        }
        for none in [
            "",
            "unknown",
            "\"\"",
            "[]",
            "192.0.2.9:",
            "192.0.2.9:x",
            "192.0.2.9:99999",
            "[2001:db8::1",
            "\"192.0.2.9",
            "_hidden:1",
        ] {
            assert_eq!(forwarded(none), None, "{none}");
        }
    }
}
