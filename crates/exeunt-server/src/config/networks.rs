//! Addresses that are believed: single ones, and ranges as they are written with a slash.
//!
//! Owns what such a text may be and whether an address is within. An IPv4 address is the same however it is written: a socket that
//! takes both kinds sees `::ffff:10.0.0.1`.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Bits before the IPv4 address in an IPv6 address that stands for one (RFC 4291, 2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// A set of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads addresses and ranges, divided by commas.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(network).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an address is one of these.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let wrong = || {
        format!(
            "`{text}` is no IP address and no range; it is a list divided by commas, as in 127.0.0.1,10.0.0.0/8,fd00::/8"
        )
    };
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| wrong())?,
    };
    if network != network.trunc() {
        // 10.0.0.5/8 may have been meant as one address, and would be sixteen million.
        return Err(format!("`{text}` is no range: write {}, or the address alone", network.trunc()));
    }
    Ok(canonical(network))
}

fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let Some((address, bits)) = mapped.addr().to_ipv4_mapped().zip(mapped.prefix_len().checked_sub(MAPPED_BITS)) else {
        return network;
    };
    Ipv4Net::new(address, bits).map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contain(networks: &str, address: &str) -> bool {
        Networks::parse(networks).expect(networks).contain(address.parse().expect(address))
    }

    #[test]
    fn a_range_contains_what_is_in_it_and_nothing_beside_it() {
        for (networks, within, beside) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("172.16.0.0/12", "172.31.255.255", "172.32.0.0"),
            ("192.0.2.8/30", "192.0.2.11", "192.0.2.12"),
            ("192.0.2.8/32", "192.0.2.8", "192.0.2.9"),
            ("0.0.0.0/0", "203.0.113.7", "2001:db8::7"),
            ("::1", "::1", "::2"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
            ("::/0", "2001:db8::7", "203.0.113.7"),
            (" 192.0.2.1 , ,10.0.0.0/8", "10.0.0.1", "192.0.2.2"),
        ] {
            assert!(contain(networks, within), "{within} is in {networks}");
            assert!(!contain(networks, beside), "{beside} is not in {networks}");
        }
        assert!(!contain("", "127.0.0.1"));
    }

    #[test]
    fn an_address_of_ipv4_is_the_same_however_it_is_written() {
        for networks in ["10.0.0.0/8", "::ffff:10.0.0.0/104", "10.1.2.3", "::ffff:10.1.2.3", "::ffff:10.1.2.3/128"] {
            assert!(contain(networks, "10.1.2.3") && contain(networks, "::ffff:10.1.2.3"), "{networks}");
            assert!(!contain(networks, "11.1.2.3") && !contain(networks, "::ffff:11.1.2.3"), "{networks}");
            assert!(!contain(networks, "::10.1.2.3"), "{networks}: that is another address");
        }
        assert!(contain("::ffff:0:0/96", "203.0.113.7") && !contain("::ffff:0:0/96", "::1"));
    }

    #[test]
    fn what_is_no_range_is_refused_and_what_was_meant_is_said() {
        for text in ["proxy", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/255.0.0.0"] {
            let said = Networks::parse(&format!("127.0.0.1,{text}")).expect_err(text);
            assert!(said.contains(&format!("`{text}`")) && said.contains("10.0.0.0/8"), "{said}");
        }
        for (text, meant) in
            [("10.0.0.5/8", "10.0.0.0/8"), ("fd00::1/8", "fd00::/8"), ("::ffff:0:0/95", "::fffe:0:0/95")]
        {
            let said = Networks::parse(text).expect_err(text);
            assert!(said.contains(text) && said.contains(meant), "{said}");
        }
    }
}
