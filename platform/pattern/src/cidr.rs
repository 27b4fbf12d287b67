//! `cidr`: a block of addresses.

use std::net::IpAddr;

/// The addresses that begin with the bits of `network`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    network: IpAddr,
    bits: u32,
}

impl Block {
    /// Reads `10.0.0.0/24` or `2001:db8::/32`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (network, bits) = text.split_once('/').ok_or("Malformed CIDR, one '/' required")?;
        let network: IpAddr =
            network.parse().map_err(|_| format!("Malformed CIDR, bad IP address: {text}"))?;
        let bits: u32 =
            bits.parse().map_err(|_| format!("Malformed CIDR, mask bits must be an integer: {text}"))?;
        let bits_max = if network.is_ipv4() { 32 } else { 128 };
        if bits > bits_max {
            return Err("Malformed CIDR, mask bits must not be > 128 or, for IPv4, > 32".into());
        }
        Ok(Self { network, bits })
    }

    pub(crate) fn has(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.leading_zeros() >= self.bits
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}
